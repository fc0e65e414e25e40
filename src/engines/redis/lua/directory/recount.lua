-- Writes a pod's own numbers of connections in rooms anew, and the sums over all pods from their numbers: any of it may
-- have been evicted. KEYS: rooms, sums, the pod's own numbers, pods, graves. ARGV: pod, start of the names of pods'
-- numbers, then room and number for each room. Gives 'lapsed' or 1. What is taken from a key is taken at the end
-- (docs/adr/0012).
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
-- The dead are counted until they are cleaned up after, which takes them back.
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
