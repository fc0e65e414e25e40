-- with shared.lua
-- The users in some of a room's rows for whom no connection is stored. KEYS: presence, tabs. ARGV: cursor in the presence,
-- page size. Gives the cursor for the next call ('0': done), and the users.
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local users = {}
for at = 1, #page[2], 2 do users[#users + 1] = page[2][at] end
local reply = { page[1] }
for index, text in ipairs(#users > 0 and redis.call('HMGET', KEYS[2], unpack(users)) or {}) do
  if #words(text) == 0 then reply[#reply + 1] = users[index] end
end
return reply
