-- Keeps rooms' presence for another while. KEYS: presence and tabs of each room. ARGV: ttl in ms.
-- Gives how many of the keys are gone.
local gone = 0
for _, key in ipairs(KEYS) do
  if redis.call('PEXPIRE', key, ARGV[1]) == 0 then gone = gone + 1 end
end
return gone
