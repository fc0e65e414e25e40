-- Renews a pod's lease, and gives the pod dead pods to reap.
-- KEYS: pods, tombstones. ARGV: length of the lease in ms, pod, '1' if it takes the lease, for how many ms a tombstone that
-- this pod gets goes to no other pod, or '' if it shall get none. Gives 1, or 0 if the lease has expired and was not
-- renewed; then the dead pods.
if ARGV[3] == '' and not redis.call('ZSCORE', KEYS[1], ARGV[2]) then return { 0 } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[2])
if ARGV[4] == '' then return { 1 } end
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)) do
  redis.call('ZREM', KEYS[1], dead)
  redis.call('ZADD', KEYS[2], 0, dead)
end
local reply = { 1 }
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 3)) do
  redis.call('ZADD', KEYS[2], now + ARGV[4], dead)
  reply[#reply + 1] = dead
end
return reply
