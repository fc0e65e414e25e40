-- Takes some of what a dead pod had out of the directory. KEYS: rooms, sums, the pod's own numbers, the pod's users.
-- ARGV: how many, start of the names of users' connections, pod. Gives how much was looked at.
local seen = 0
local numbers = redis.call('HSCAN', KEYS[3], 0, 'COUNT', ARGV[1])[2]
for at = 1, #numbers, 2 do
  seen = seen + 1
  redis.call('HDEL', KEYS[3], numbers[at])
  if redis.call('HINCRBY', KEYS[2], numbers[at], -tonumber(numbers[at + 1])) <= 0 then
    redis.call('HDEL', KEYS[2], numbers[at])
    redis.call('ZREM', KEYS[1], numbers[at])
  end
end
for _, place in ipairs(redis.call('SPOP', KEYS[4], ARGV[1])) do
  seen = seen + 1
  local connection, user = string.match(place, '^(%S+) (.*)$')
  -- It may stand there under a later name of that pod.
  local key = ARGV[2] .. user
  if redis.call('HGET', key, connection) == ARGV[3] then redis.call('HDEL', key, connection) end
end
return seen
