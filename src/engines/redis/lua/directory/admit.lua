-- Counts a user's connection, unless the user has too many.
-- KEYS: user's connections, the pod's users, pods. ARGV: connection, pod, limit, user. Gives 1, 0 if the limit is reached,
-- or 'lapsed'.
if not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return 'lapsed' end
local others, dead = 0, {}
local places = redis.call('HGETALL', KEYS[1])
for at = 1, #places, 2 do
  if places[at] ~= ARGV[1] then
    if redis.call('ZSCORE', KEYS[3], places[at + 1]) then others = others + 1 else dead[#dead + 1] = places[at] end
  end
end
local is_free = others < tonumber(ARGV[3])
if is_free then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('SADD', KEYS[2], ARGV[1] .. ' ' .. ARGV[4])
end
if #dead > 0 then redis.call('HDEL', KEYS[1], unpack(dead)) end
return is_free and 1 or 0
