-- with shared.lua
-- A connection is no longer present in a room.
-- KEYS: presence, tabs, who is there through the pod. ARGV: pod, now in seconds, channel, connection, user, user as
-- JSON, change. Gives kind or '', users present, row, and how many are left there through the pod. Nothing is asked of a
-- key from which the last may have been taken: where the slot is on its way the server refuses that (docs/adr/0012).
local pod, connection, user, user_json = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local kept, found, of_pod = {}, false, false
local tabs, said = words(redis.call('HGET', KEYS[2], user))
for _, word in ipairs(tabs) do
  if is_connection(word, connection) then
    found = true
  else
    kept[#kept + 1] = word
    of_pod = of_pod or is_of_pod(word, pod)
  end
end
local left = redis.call('SCARD', KEYS[3])
if not of_pod then left = left - redis.call('SREM', KEYS[3], user) end
if not found then return { '', 0, '', left } end
if #kept > 0 then
  redis.call('HSET', KEYS[2], user, text_of(kept, said))
  return { '', 0, '', left }
end
local status, meta = read_row(redis.call('HGET', KEYS[1], user), user_json)
local count = redis.call('HLEN', KEYS[1])
count = count - redis.call('HDEL', KEYS[1], user)
redis.call('HDEL', KEYS[2], user)
local row = row_of(user_json, status, meta, ARGV[2])
announce(ARGV[3], ARGV[7], 'leave', count, row)
return { 'leave', count, row, left }
