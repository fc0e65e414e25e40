-- Removes some of what a dead pod had in the directory. KEYS: rooms, sums, the pod's counts, the pod's users.
-- ARGV: page size, prefix of the keys of users' connections, pod, cursors in its counts and in its users ('0': the start,
-- '': done). Gives the cursors for the next call.
local function page(command, key, cursor)
  if cursor == '' then return '', {} end
  local reply = redis.call(command, key, cursor, 'COUNT', ARGV[1])
  return reply[1] ~= '0' and reply[1] or '', reply[2]
end

local next_room, numbers = page('HSCAN', KEYS[3], ARGV[4])
local rooms, empty = {}, {}
for at = 1, #numbers, 2 do
  rooms[#rooms + 1] = numbers[at]
  if redis.call('HINCRBY', KEYS[2], numbers[at], -tonumber(numbers[at + 1])) <= 0 then
    empty[#empty + 1] = numbers[at]
  end
end
if #rooms > 0 then redis.call('HDEL', KEYS[3], unpack(rooms)) end
if #empty > 0 then
  redis.call('HDEL', KEYS[2], unpack(empty))
  redis.call('ZREM', KEYS[1], unpack(empty))
end
local next_place, places = page('SSCAN', KEYS[4], ARGV[5])
for _, place in ipairs(places) do
  local connection, user = string.match(place, '^(%S+) (.*)$')
  -- The connection may be counted under a later name of that pod already.
  local key = ARGV[2] .. user
  if redis.call('HGET', key, connection) == ARGV[3] then redis.call('HDEL', key, connection) end
end
-- At the end: if a slot is moving, a key above is refused, and the whole page has to be tried again.
if #places > 0 then redis.call('SREM', KEYS[4], unpack(places)) end
return { next_room, next_place }
