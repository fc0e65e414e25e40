-- with ../connection/shared.lua
-- Reads a room's history. It deletes nothing: a pod whose clock is wrong must not remove messages of the others.
-- KEYS: epoch, history, state. ARGV: epoch that the pod supplies, now, tag of the room, ttl of a message in ms, 'newest' or
-- 'after', a number of messages or a stream id, the limit, '1' to remember the room from now on, and for how long in ms.
-- Optional, with 'after': the position at that stream id, the position of a later message, and how many messages from the
-- one to the other the pod knows. If the later one is stored, and the first one is or the oldest follows it, those between
-- are stored, too, since a server that lost a message lost all that followed: they are not given.
-- Gives: epoch; newest, first, lost and marked position ('' if there is none); the position before the oldest stored
-- message; the epoch of the message at the stream id, or ''; when the data was found to have gone back, or ''; '1' if the
-- messages that the pod knows are left out; then for each message five: stream id, epoch, position before it, body, provisional id.
local now, tag = tonumber(ARGV[2]), ARGV[3]
local state = redis.call('HMGET', KEYS[3], 'last', 'floor', 'lost', 'mark', 'begun')
local last = state[1] or newest_stored(KEYS[2], tag)
local begun = state[5] or beginning_in(last) or ''
if not state[1] and ARGV[8] == '1' then begun = beginning(KEYS[3], last) end
local epoch = data_id(KEYS[1]) .. ARGV[1] .. begun
if not state[1] then
  -- Nothing was published for a day in a room that is unknown, so any moment of that day is a valid position.
  local back = ARGV[8] == '1' and 0 or 60000
  last = last or epoch .. '.' .. tag .. '.' .. stream_id(now - back, 0)
  if ARGV[8] == '1' then
    redis.call('HSET', KEYS[3], 'last', last, 'floor', last)
    redis.call('PEXPIRE', KEYS[3], ARGV[9])
    state[2] = last
  end
end
local start = stream_id(math.max(now - tonumber(ARGV[4]) + 1, 0), 0)
-- The epoch of the entry at a stream id, or ''.
local function epoch_at(id)
  local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
  return entry and entry[2][2] or ''
end

local oldest = redis.call('XRANGE', KEYS[2], start, '+', 'COUNT', 1)[1]
local at, has_known = '', ''
if ARGV[5] == 'after' and not is_before(ARGV[6], start) then at = epoch_at(ARGV[6]) end
local is_followed = oldest and oldest[2][4] == ARGV[10] or at .. '.' .. tag .. '.' .. ARGV[6] == ARGV[10]
if ARGV[10] and is_followed then
  local later = string.match(ARGV[11], '%d+%-%d+$')
  if later and ARGV[11] == epoch_at(later) .. '.' .. tag .. '.' .. later then has_known = later end
end
local entries
if has_known ~= '' then
  entries = redis.call('XRANGE', KEYS[2], '(' .. has_known, '+', 'COUNT', tonumber(ARGV[7]) - tonumber(ARGV[12]))
elseif ARGV[5] == 'newest' then
  entries = {}
  if tonumber(ARGV[6]) > 0 then
    local newest = redis.call('XREVRANGE', KEYS[2], '+', start, 'COUNT', ARGV[6])
    for at = #newest, 1, -1 do entries[#entries + 1] = newest[at] end
    while #entries > tonumber(ARGV[7]) do table.remove(entries) end
  end
else
  local from = is_before(ARGV[6], start) and start or '(' .. ARGV[6]
  entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', ARGV[7])
end
local went_back = not CLUSTER and redis.call('HGET', KEYS[1], 'went-back') or ''
local reply = { epoch, last, state[2] or '', state[3] or '', state[4] or '', oldest and oldest[2][4] or last, at, went_back, has_known ~= '' and '1' or '' }
for _, entry in ipairs(entries) do
  local fields = entry[2]
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = fields[2]
  reply[#reply + 1] = fields[4]
  reply[#reply + 1] = fields[6]
  reply[#reply + 1] = fields[8]
end
return reply
