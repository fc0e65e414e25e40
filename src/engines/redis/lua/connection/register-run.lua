-- with shared.lua
-- Proves that this Redis takes writes, and records which runs of the server there were, and when each ended.
-- KEYS: epoch. ARGV: run of the server, now, the run that the pod knew before, or ''. If the data does not know that run, it
-- is older than what the pod has seen: Redis was restored, and later publications may be lost.
data_id(KEYS[1])
local run = redis.call('HGET', KEYS[1], 'run')
if run and run ~= ARGV[1] then redis.call('HSETNX', KEYS[1], 'ended:' .. run, ARGV[2]) end
local before = ARGV[3]
if before ~= '' and before ~= ARGV[1] then
  local is_news = redis.call('HSETNX', KEYS[1], 'ended:' .. before, ARGV[2]) == 1
  if run and is_news then redis.call('HSET', KEYS[1], 'went-back', ARGV[2]) end
end
redis.call('HDEL', KEYS[1], 'ended:' .. ARGV[1])
redis.call('HSET', KEYS[1], 'run', ARGV[1])
return 1
