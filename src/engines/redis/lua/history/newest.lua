-- The newest positions of rooms; keeps the rooms remembered for at least the ttl.
-- KEYS: states. ARGV: ttl in ms.
local reply = {}
for index, key in ipairs(KEYS) do
  reply[index] = redis.call('HGET', key, 'last') or ''
  if redis.call('PTTL', key) < tonumber(ARGV[1]) then redis.call('PEXPIRE', key, ARGV[1]) end
end
return reply
