-- Rooms with connections, by name. KEYS: rooms, sums. ARGV: from, to (as ZRANGEBYLEX takes them), limit.
-- Gives room and count for each.
local reply = {}
for _, room in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  reply[#reply + 1] = room
  reply[#reply + 1] = redis.call('HGET', KEYS[2], room)
end
return reply
