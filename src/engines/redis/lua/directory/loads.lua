-- Stores how many connections a pod has, and gives the same of all other living pods.
-- KEYS: loads, pods. ARGV: pod, connections and since when it runs (both empty: the pod takes no more connections).
-- Gives 'lapsed', or one text for each other pod: connections and since when, separated by a blank.
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'lapsed' end
local others, time = {}, redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local living = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')
for index, load in ipairs(#living > 0 and redis.call('HMGET', KEYS[1], unpack(living)) or {}) do
  if load and living[index] ~= ARGV[1] then others[#others + 1] = load end
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
end
return others
