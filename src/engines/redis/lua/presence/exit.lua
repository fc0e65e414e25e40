-- with shared.lua
-- A connection is no longer present in a room.
-- KEYS: presence, tabs, and one more as enter.lua has it. ARGV: channel, connection, user, user as JSON, change,
-- '?' where others may be about to write connections that are not known yet. Gives kind or '', users present, row. Of a
-- user of whom no connection is known: 'orphaned' where the row is there, so that something is gone, else 'unknown'. 'orphaned'
-- also of one whose last known connection this is, while others may not be written anew yet; 'last', and nothing is done,
-- where the caller says so.
local connection, user, user_json = ARGV[2], ARGV[3], ARGV[4]
local kept, found = {}, false
local tabs, said, unsure = words(redis.call('HGET', KEYS[2], user))
for _, word in ipairs(tabs) do
  if is_connection(word, connection) then found = true else kept[#kept + 1] = word end
end
if #tabs == 0 then return { redis.call('HEXISTS', KEYS[1], user) == 1 and 'orphaned' or 'unknown', 0, '' } end
if not found then return { '', 0, '' } end
if #kept > 0 then
  redis.call('HSET', KEYS[2], user, text_of(kept, said, unsure))
  return { '', 0, '' }
end
if unsure and unsure > now_ms() then
  redis.call('HDEL', KEYS[2], user)
  return { 'orphaned', 0, '' }
end
if ARGV[6] == '?' then return { 'last', 0, '' } end
local status, meta = read_row(redis.call('HGET', KEYS[1], user), user_json)
-- Counted before, and taken away at the end: where the slot is on its way the server refuses to be asked for a key from
-- which the last was taken (docs/adr/0012).
local count = redis.call('HLEN', KEYS[1]) - redis.call('HEXISTS', KEYS[1], user)
local row = row_of(user_json, status or 'online', meta or '{}', now_ms())
-- Told before it is done: a right that is missing ends a script in the middle, and what is done already is not told later.
announce(ARGV[1], ARGV[5], 'leave', count, row)
redis.call('HDEL', KEYS[1], user)
redis.call('HDEL', KEYS[2], user)
return { 'leave', count, row }
