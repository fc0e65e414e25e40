-- Keeps rooms' presence for another while. KEYS: presence, tabs, and who is there through the pod, of each room in turn.
-- ARGV: ttl in ms, the same of who is there through the pod. Gives the numbers of the rooms, from 0, of which something
-- is gone.
local gone = {}
for at = 1, #KEYS, 3 do
  local presence = redis.call('PEXPIRE', KEYS[at], ARGV[1])
  local tabs = redis.call('PEXPIRE', KEYS[at + 1], ARGV[1])
  redis.call('PEXPIRE', KEYS[at + 2], ARGV[2])
  if presence == 0 or tabs == 0 then gone[#gone + 1] = (at - 1) / 3 end
end
return gone
