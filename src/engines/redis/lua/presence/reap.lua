-- with shared.lua
-- Takes some of what a dead pod had out of a room; whoever is left without a connection leaves.
-- KEYS: presence, tabs, that the pod is buried there. ARGV: pod, from where on in the tabs, how many, channel, change,
-- for how many ms nothing of the pod may come any more. Gives from where on for the next step ('0': that was all), and
-- for each leave two: users present, row.
redis.call('SET', KEYS[3], '1', 'PX', ARGV[6])
local page = redis.call('HSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3])
local reply, found = { page[1] }, page[2]
local count, now, gone, left, seen = redis.call('HLEN', KEYS[1]), now_ms(), {}, {}, {}
for at = 1, #found, 2 do
  local user, kept = found[at], {}
  local tabs, said, unsure = words(found[at + 1])
  for _, word in ipairs(tabs) do
    if pod_of(word) ~= ARGV[1] then kept[#kept + 1] = word end
  end
  if #kept == #tabs or seen[user] then
    -- Nothing of that pod.
  elseif #kept > 0 then
    redis.call('HSET', KEYS[2], user, text_of(kept, said, unsure))
  else
    left[#left + 1] = user
    -- Who may be there through others that are not written anew yet leaves later, if nobody writes him.
    if not unsure or unsure <= now then gone[#gone + 1] = user end
  end
  -- A hash that is being rebuilt may give somebody twice.
  seen[user] = true
end
if #left == 0 then return reply end
for index, row in ipairs(#gone > 0 and redis.call('HMGET', KEYS[1], unpack(gone)) or {}) do
  local user_json = cjson.encode(gone[index])
  if row then count = count - 1 else row = row_of(user_json, 'online', '{}', now) end
  row = string.gsub(row, '"updated_at":%d+}$', string.format('"updated_at":%.0f}', math.floor(now / 1000)))
  announce(ARGV[4], ARGV[5], 'leave', count, row)
  reply[#reply + 1] = count
  reply[#reply + 1] = row
end
if #gone > 0 then redis.call('HDEL', KEYS[1], unpack(gone)) end
redis.call('HDEL', KEYS[2], unpack(left))
return reply
