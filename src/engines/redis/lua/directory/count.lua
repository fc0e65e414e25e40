-- Sets the numbers of a pod's connections in rooms; the sums over all pods follow.
-- KEYS: rooms, sums, the pod's own numbers, pods. ARGV: pod, then room and number for each room.
-- Gives 'lapsed' or 1. What is taken from a key is taken at the end: where the slot is on its way the server refuses to
-- be asked for a key that is empty by then (docs/adr/0012).
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then return 'lapsed' end
local left, empty = {}, {}
for at = 2, #ARGV, 2 do
  local room, number = ARGV[at], tonumber(ARGV[at + 1])
  local before = tonumber(redis.call('HGET', KEYS[3], room) or '0')
  if number > 0 then redis.call('HSET', KEYS[3], room, number) else left[#left + 1] = room end
  if number ~= before then
    if redis.call('HINCRBY', KEYS[2], room, number - before) > 0 then
      redis.call('ZADD', KEYS[1], 0, room)
    else
      empty[#empty + 1] = room
    end
  end
end
if #left > 0 then redis.call('HDEL', KEYS[3], unpack(left)) end
if #empty > 0 then
  redis.call('HDEL', KEYS[2], unpack(empty))
  redis.call('ZREM', KEYS[1], unpack(empty))
end
return 1
