-- with shared.lua
-- Removes some of a dead pod's connections from a room; users without any other connection leave.
-- KEYS: presence, tabs, whether the pod was reaped there. ARGV: pod, cursor in the tabs, page size, channel, name of the
-- change, for how many ms the room rejects commands of the pod. Gives the cursor for the next call ('0': done), and for each
-- leave two: users present, row.
redis.call('SET', KEYS[3], '1', 'PX', ARGV[6])
local page = redis.call('HSCAN', KEYS[2], ARGV[2], 'COUNT', ARGV[3])
local reply, found = { page[1] }, page[2]
local count, now, gone, left, seen = redis.call('HLEN', KEYS[1]), now_ms(), {}, {}, {}
for at = 1, #found, 2 do
  local user, others = found[at], {}
  local tabs, said, unsure = words(found[at + 1])
  for _, word in ipairs(tabs) do
    if pod_of(word) ~= ARGV[1] then others[#others + 1] = word end
  end
  if #others == #tabs or seen[user] then
    -- The user has no connection through that pod.
  elseif #others > 0 then
    redis.call('HSET', KEYS[2], user, text_of(others, said, unsure))
  else
    left[#left + 1] = user
    -- While other connections may still be written again, the user does not leave; upkeep finds the row later.
    if not unsure or unsure <= now then gone[#gone + 1] = user end
  end
  -- HSCAN may give a user twice.
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
