-- with shared.lua
-- Takes some of what a dead pod had out of a room; whoever is left without a connection leaves.
-- KEYS: presence, tabs, who is there through the pod, that the pod is buried there. ARGV: pod, how many, now in seconds,
-- channel, change, for how many ms nothing of the pod may come any more. Gives how many were looked at, and for each
-- leave two: users present, row.
redis.call('SET', KEYS[4], '1', 'PX', ARGV[6])
local reply = { 0 }
for _, user in ipairs(redis.call('SPOP', KEYS[3], ARGV[2])) do
  reply[1] = reply[1] + 1
  local kept, found = {}, false
  for _, word in ipairs(words(redis.call('HGET', KEYS[2], user))) do
    if is_of_pod(word, ARGV[1]) then found = true else kept[#kept + 1] = word end
  end
  if found and #kept > 0 then
    redis.call('HSET', KEYS[2], user, table.concat(kept, ' '))
  elseif found then
    local row = redis.call('HGET', KEYS[1], user)
    redis.call('HDEL', KEYS[1], user)
    redis.call('HDEL', KEYS[2], user)
    if row then
      local count = redis.call('HLEN', KEYS[1])
      row = string.gsub(row, '"updated_at":%d+}$', '"updated_at":' .. ARGV[3] .. '}')
      announce(ARGV[4], ARGV[5], 'leave', count, row)
      reply[#reply + 1] = count
      reply[#reply + 1] = row
    end
  end
end
return reply
