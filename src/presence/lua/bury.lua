-- with shared.lua
-- Takes some of what a dead pod had out of a room; whoever is left without a connection leaves.
-- KEYS: presence, tabs, who is there through the pod, that the pod is buried there. ARGV: pod, how many, now in seconds,
-- channel, change, for how many ms nothing of the pod may come any more. Gives how many were looked at, and for each
-- leave two: users present, row.
redis.call('SET', KEYS[4], '1', 'PX', ARGV[6])
local users = redis.call('SPOP', KEYS[3], ARGV[2])
local reply = { #users }
if #users == 0 then return reply end
local count, gone = redis.call('HLEN', KEYS[1]), {}
local all_tabs, rows = redis.call('HMGET', KEYS[2], unpack(users)), redis.call('HMGET', KEYS[1], unpack(users))
for index, user in ipairs(users) do
  local kept, found = {}, false
  local tabs, said = words(all_tabs[index])
  for _, word in ipairs(tabs) do
    if is_of_pod(word, ARGV[1]) then found = true else kept[#kept + 1] = word end
  end
  if found and #kept > 0 then
    redis.call('HSET', KEYS[2], user, text_of(kept, said))
  elseif found then
    gone[#gone + 1] = user
    local row = rows[index]
    if row then
      count = count - 1
      row = string.gsub(row, '"updated_at":%d+}$', '"updated_at":' .. ARGV[3] .. '}')
      announce(ARGV[4], ARGV[5], 'leave', count, row)
      reply[#reply + 1] = count
      reply[#reply + 1] = row
    end
  end
end
if #gone > 0 then
  redis.call('HDEL', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end
return reply
