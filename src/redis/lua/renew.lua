-- Renews a pod's lease, and gives the pod the dead to bury.
-- KEYS: pods, graves. ARGV: now, end of the lease, pod, '1' if it takes the lease, when a grave that is given to this
-- pod may be given to another, or '' if it is given none. Gives 1 or 0 (the lease is gone and was not renewed), then the dead.
if ARGV[4] == '' and not redis.call('ZSCORE', KEYS[1], ARGV[3]) then return { 0 } end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
if ARGV[5] == '' then return { 1 } end
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])) do
  redis.call('ZREM', KEYS[1], dead)
  redis.call('ZADD', KEYS[2], 0, dead)
end
local reply = { 1 }
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 3)) do
  redis.call('ZADD', KEYS[2], ARGV[5], dead)
  reply[#reply + 1] = dead
end
return reply
