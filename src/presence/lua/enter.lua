-- with shared.lua
-- Connections of one pod are present in one room, which the pod has noted (note.lua).
-- KEYS: presence, tabs, who is there through the pod, whether the pod is buried there. ARGV: pod, now in seconds, ttl in
-- ms, the same of who is there through the pod, channel; then for each connection seven: connection, user, user as
-- JSON, when it said how it is ('now', in ms, or '' where it says nothing), status or '', meta or '', change. What was
-- said before something that is known counts no more. Gives 'lapsed', or for each connection three: kind or '', users
-- present, row.
local pod, now, ttl, pod_ttl, channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('EXISTS', KEYS[4]) == 1 then return 'lapsed' end
local reply, time = {}, redis.call('TIME')
for at = 6, #ARGV, 7 do
  local connection, user, user_json = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local row = redis.call('HGET', KEYS[1], user)
  local tabs, said = words(redis.call('HGET', KEYS[2], user))
  local known = row and #tabs > 0
  if not known then said = nil end
  local says = ARGV[at + 3] == 'now' and time[1] * 1000 + math.floor(time[2] / 1000) or tonumber(ARGV[at + 3])
  local states = says and (ARGV[at + 3] == 'now' or not said or says >= said)
  if states then said = math.max(says, said or 0) end
  local place, lost
  for index, word in ipairs(tabs) do
    if is_connection(word, connection) then place = index end
    if not lost and is_lost(word) then lost = index end
  end
  local outdated = place and is_outdated(pod, tabs[place])
  -- Whoever was lost and is back comes by another connection, which takes the lost one's place.
  if not place and lost then table.remove(tabs, lost) end
  if not outdated then tabs[place or #tabs + 1] = connection .. '@' .. pod end
  redis.call('HSET', KEYS[2], user, text_of(tabs, said))
  redis.call('SADD', KEYS[3], user)
  local status, meta = read_row(known and row, user_json)
  if states or not known then
    if ARGV[at + 4] ~= '' then status = ARGV[at + 4] end
    if ARGV[at + 5] ~= '' then meta = ARGV[at + 5] end
  end
  row = row_of(user_json, status, meta, now)
  redis.call('HSET', KEYS[1], user, row)
  local count = redis.call('HLEN', KEYS[1])
  local kind = (not known and 'join') or (states and 'update') or ''
  if kind ~= '' then announce(channel, ARGV[at + 6], kind, count, row) end
  reply[#reply + 1] = kind
  reply[#reply + 1] = count
  reply[#reply + 1] = row
end
for index = 1, 2 do redis.call('PEXPIRE', KEYS[index], ttl) end
redis.call('PEXPIRE', KEYS[3], pod_ttl)
return reply
