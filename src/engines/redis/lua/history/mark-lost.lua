-- with ../connection/shared.lua
-- A failover dropped a position that a pod was given, and every earlier one that this history does not have. Positions up
-- to it are not valid any more; a new one is made, from which the history goes on.
-- KEYS: epoch, state. ARGV: epoch that the pod supplies, now, tag of the room, stream id of the dropped position, ttl of
-- the state in ms.
local lost = redis.call('HGET', KEYS[2], 'lost')
local ms, seq = ms_seq(ARGV[4])
if lost then
  local lost_ms, lost_seq = ms_seq(lost)
  if lost_ms > ms or (lost_ms == ms and lost_seq >= seq) then return 0 end
end
local function later(id)
  if not id then return end
  local other_ms, other_seq = ms_seq(id)
  if other_ms > ms or (other_ms == ms and other_seq > seq) then ms, seq = other_ms, other_seq end
end
later(redis.call('HGET', KEYS[2], 'last'))
later(stream_id(tonumber(ARGV[2]), 0))
local begun = redis.call('HGET', KEYS[2], 'begun') or ''
local mark = data_id(KEYS[1]) .. ARGV[1] .. begun .. '.' .. ARGV[3] .. '.' .. stream_id(ms, seq + 1)
redis.call('HSET', KEYS[2], 'lost', ARGV[4], 'mark', mark, 'last', mark)
redis.call('HSETNX', KEYS[2], 'floor', mark)
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
