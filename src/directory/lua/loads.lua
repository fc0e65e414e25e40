-- Writes how many connections a pod has, and gives the same of all others that live.
-- KEYS: loads, pods. ARGV: now, pod, connections and since when (both empty: the pod takes no more).
-- Gives 'lapsed', or one text for each other pod: connections and since when, with a blank between.
if not redis.call('ZSCORE', KEYS[2], ARGV[2]) then return 'lapsed' end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[2])
else
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[3] .. ' ' .. ARGV[4])
end
local others = {}
for _, pod in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')) do
  local load = pod ~= ARGV[2] and redis.call('HGET', KEYS[1], pod)
  if load then others[#others + 1] = load end
end
return others
