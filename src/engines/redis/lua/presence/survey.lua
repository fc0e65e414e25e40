-- with shared.lua
-- Through which pods the users of a room are present, in some of its tabs. KEYS: tabs. ARGV: from where on, how many.
-- Gives from where on for the next step ('0': that was all), and the pods.
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
