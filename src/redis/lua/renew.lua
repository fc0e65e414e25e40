-- Renews a pod's lease, proves its subscription, and gives it the dead to bury.
-- KEYS: pods, graves. ARGV: now, end of the lease, pod, '1' if it takes the lease, probe channel, when a grave that
-- is given to this pod may be given to another. Gives 1 or 0 (the lease is gone and was not renewed), then the dead.
if ARGV[4] == '' and not redis.call('ZSCORE', KEYS[1], ARGV[3]) then return { 0 } end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('PUBLISH', ARGV[5], 'probe\n')
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])) do
  redis.call('ZREM', KEYS[1], dead)
  redis.call('ZADD', KEYS[2], 0, dead)
end
local reply = { 1 }
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 3)) do
  redis.call('ZADD', KEYS[2], ARGV[6], dead)
  reply[#reply + 1] = dead
end
return reply
