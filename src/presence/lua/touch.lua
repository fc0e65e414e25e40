-- Keeps rooms' presence for another while. KEYS: presence and tabs of each room in turn. ARGV: ttl in ms.
-- Gives the numbers of the rooms, from 0, of which something is gone.
local gone = {}
for at = 1, #KEYS, 2 do
  local presence = redis.call('PEXPIRE', KEYS[at], ARGV[1])
  local tabs = redis.call('PEXPIRE', KEYS[at + 1], ARGV[1])
  if presence == 0 or tabs == 0 then gone[#gone + 1] = (at - 1) / 2 end
end
return gone
