-- with shared.lua
-- The pods through which the users in some of a room's tabs are present. KEYS: tabs. ARGV: cursor, page size.
-- Gives the cursor for the next call ('0': done), and the pods.
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local reply, seen = { page[1] }, {}
for at = 2, #page[2], 2 do
  for _, word in ipairs((words(page[2][at]))) do
    local pod = pod_of(word)
    if not seen[pod] then reply[#reply + 1] = pod end
    seen[pod] = true
  end
end
return reply
