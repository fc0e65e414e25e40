-- Writes a pod's counted connections again. KEYS: pods, the pod's users, then the user's connections for each connection.
-- ARGV: pod, then connection and user for each. Gives 'lapsed' or 1.
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 'lapsed' end
for key = 3, #KEYS do
  local connection, user = ARGV[2 * key - 4], ARGV[2 * key - 3]
  redis.call('HSET', KEYS[key], connection, ARGV[1])
  redis.call('SADD', KEYS[2], connection .. ' ' .. user)
end
return 1
