-- Somebody is about to be present in rooms through a pod, or is: whoever cleans up after the pod looks there.
-- KEYS: pods, the pod's rooms. ARGV: pod, rooms. Gives 'lapsed' or 1.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'lapsed' end
redis.call('SADD', KEYS[2], unpack(ARGV, 2))
return 1
