-- with shared.lua
-- A pod has members in a room. If it has neither a lease nor a tombstone (that key was lost), it gets a tombstone, which is
-- due in the length of a lease, so that the pod can still come back.
-- KEYS: pods, tombstones, the pod's rooms. ARGV: pod, room, length of a lease in ms, how long the pod's rooms are known.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms() + ARGV[3]), ARGV[1])
end
return 1
