-- A pod has, or is about to have, members in rooms: a pod that reaps it looks there.
-- KEYS: pods, the pod's rooms. ARGV: pod, rooms. Gives 'lapsed' or 1.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'lapsed' end
redis.call('SADD', KEYS[2], unpack(ARGV, 2))
return 1
