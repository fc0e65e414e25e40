-- Writes a pod's counts of connections in rooms again, and recomputes the sums from the counts of all pods: any of these
-- keys may have been evicted. KEYS: rooms, sums, the pod's counts, pods, tombstones. ARGV: pod, prefix of the keys of pods'
-- counts, then room and count for each room. Gives 'lapsed' or 1. Removals come last (docs/adr/0012).
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) then return 'lapsed' end
local rooms, sums = {}, {}
for at = 3, #ARGV, 2 do
  rooms[#rooms + 1] = ARGV[at]
  sums[#sums + 1] = tonumber(ARGV[at + 1])
end
local left = {}
for index, room in ipairs(rooms) do
  if sums[index] > 0 then redis.call('HSET', KEYS[3], room, sums[index]) else left[#left + 1] = room end
end
-- Dead pods count until they are reaped, which subtracts their counts.
for key = 4, 5 do
  for _, pod in ipairs(redis.call('ZRANGEBYSCORE', KEYS[key], '-inf', '+inf')) do
    local numbers = pod ~= ARGV[1] and redis.call('HMGET', ARGV[2] .. pod, unpack(rooms)) or {}
    for index = 1, #numbers do sums[index] = sums[index] + tonumber(numbers[index] or 0) end
  end
end
local empty = {}
for index, room in ipairs(rooms) do
  if sums[index] > 0 then
    redis.call('HSET', KEYS[2], room, sums[index])
    redis.call('ZADD', KEYS[1], 0, room)
  else
    empty[#empty + 1] = room
  end
end
if #left > 0 then redis.call('HDEL', KEYS[3], unpack(left)) end
if #empty > 0 then
  redis.call('HDEL', KEYS[2], unpack(empty))
  redis.call('ZREM', KEYS[1], unpack(empty))
end
return 1
