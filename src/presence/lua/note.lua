-- Somebody is about to be present in a room through a pod: whoever cleans up after the pod looks there.
-- KEYS: pods, the pod's rooms. ARGV: pod, room. Gives 'lapsed' or 1.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'lapsed' end
redis.call('SADD', KEYS[2], ARGV[2])
return 1
