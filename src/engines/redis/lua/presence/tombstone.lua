-- with shared.lua
-- Somebody is present in a room through a pod. Where that has no lease, and nobody is to clean up after it (the key that
-- said so is gone), it is given until the end of one to come back, and then is cleaned up after.
-- KEYS: pods, graves, the pod's rooms. ARGV: pod, room, length of a lease in ms, how long the pod's rooms are known.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
redis.call('SADD', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[4])
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms() + ARGV[3]), ARGV[1])
end
return 1
