-- with shared.lua
-- A connection leaves a room.
-- KEYS: presence, tabs, and one more, as enter.lua has it. ARGV: channel, connection, user, user as JSON, name of the change,
-- '?' if other pods may still have to write connections. Gives kind or '', users present, row. If no connection of the user
-- is stored: 'orphaned' if the user has a row, else 'unknown'. 'orphaned' also for the last known connection while other
-- connections may still be written again. 'last', and nothing is removed, for the last known connection after '?'.
local connection, user, user_json = ARGV[2], ARGV[3], ARGV[4]
local others, found = {}, false
local tabs, said, unsure = words(redis.call('HGET', KEYS[2], user))
for _, word in ipairs(tabs) do
  if is_connection(word, connection) then found = true else others[#others + 1] = word end
end
if #tabs == 0 then return { redis.call('HEXISTS', KEYS[1], user) == 1 and 'orphaned' or 'unknown', 0, '' } end
if not found then return { '', 0, '' } end
if #others > 0 then
  redis.call('HSET', KEYS[2], user, text_of(others, said, unsure))
  return { '', 0, '' }
end
if unsure and unsure > now_ms() then
  redis.call('HDEL', KEYS[2], user)
  return { 'orphaned', 0, '' }
end
if ARGV[6] == '?' then return { 'last', 0, '' } end
local status, meta = read_row(redis.call('HGET', KEYS[1], user), user_json)
-- Counted before, and removed at the end: while the slot is moving the server refuses any access to a key that has
-- become empty (docs/adr/0012).
local count = redis.call('HLEN', KEYS[1]) - redis.call('HEXISTS', KEYS[1], user)
local row = row_of(user_json, status or 'online', meta or '{}', now_ms())
-- Announced before it is written: a missing right ends a script midway, and a change that is written is never announced again.
announce(ARGV[1], ARGV[5], 'leave', count, row)
redis.call('HDEL', KEYS[1], user)
redis.call('HDEL', KEYS[2], user)
return { 'leave', count, row }
