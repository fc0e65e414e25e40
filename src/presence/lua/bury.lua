-- with shared.lua
-- Takes some of what a dead pod had out of the rooms; whoever is left without a connection leaves.
-- KEYS: what the pod has. ARGV: pod, how many, now in seconds, start of the names of presence hashes, of tabs, of
-- channels, change. Gives how many were looked at, and for each leave three: room, users present, row.
local reply = { 0 }
for _, place in ipairs(redis.call('SPOP', KEYS[1], ARGV[2])) do
  reply[1] = reply[1] + 1
  local room, user = string.match(place, '^(%S+) (.*)$')
  local presence, tabs, kept, found = ARGV[4] .. room, ARGV[5] .. room, {}, false
  for _, word in ipairs(words(redis.call('HGET', tabs, user))) do
    if is_of_pod(word, ARGV[1]) then found = true else kept[#kept + 1] = word end
  end
  if found and #kept > 0 then
    redis.call('HSET', tabs, user, table.concat(kept, ' '))
  elseif found then
    local row = redis.call('HGET', presence, user)
    redis.call('HDEL', presence, user)
    redis.call('HDEL', tabs, user)
    if row then
      local count = redis.call('HLEN', presence)
      row = string.gsub(row, '"updated_at":%d+}$', '"updated_at":' .. ARGV[3] .. '}')
      announce(ARGV[6] .. room, ARGV[7], 'leave', count, row)
      reply[#reply + 1] = room
      reply[#reply + 1] = count
      reply[#reply + 1] = row
    end
  end
end
return reply
