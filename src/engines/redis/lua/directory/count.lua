-- Sets the counts of a pod's connections in rooms, and adjusts the sums over all pods.
-- KEYS: rooms, sums, the pod's counts, pods. ARGV: pod, then room and count for each room.
-- Gives 'lapsed' or 1. Removals come last: while a slot is moving the server refuses any access to a key that has become
-- empty (docs/adr/0012).
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
