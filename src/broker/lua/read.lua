-- with ../../redis/lua/shared.lua
-- Reads a room's history. KEYS: epoch, history, state, provisional. ARGV: what is told of the epoch, now, tag of the room,
-- ttl of a message in ms, 'newest' or 'after', how many or the stream id, most to give, '1' if the room is to be
-- remembered from now on, and for how long in ms.
-- Gives: epoch; newest, first, lost and marked position ('' for those there are not); the position before the
-- oldest message kept; epoch of the message at the stream id, or ''; then for each message five: stream id, epoch,
-- position before it, body, provisional id (marked by ! if the body does not have it and readers need it).
local now, tag = tonumber(ARGV[2]), ARGV[3]
local state = redis.call('HMGET', KEYS[3], 'last', 'floor', 'lost', 'mark', 'begun')
local last = state[1]
local epoch = data_id(KEYS[1]) .. ARGV[1] .. (state[5] or '')
if not last then
  if ARGV[8] == '1' then epoch = epoch .. beginning(KEYS[3]) end
  -- In a room of which nothing is known nothing was published for a day: any moment of the last is as good.
  local back = ARGV[8] == '1' and 0 or 60000
  last = epoch .. '.' .. tag .. '.' .. stream_id(now - back, 0)
  if ARGV[8] == '1' then
    redis.call('HSET', KEYS[3], 'last', last, 'floor', last)
    redis.call('PEXPIRE', KEYS[3], ARGV[9])
    state[2] = last
  end
end
redis.call('XTRIM', KEYS[2], 'MINID', '=', stream_id(math.max(now - tonumber(ARGV[4]) + 1, 0), 0))
local entries
if ARGV[5] == 'newest' then
  entries = {}
  if tonumber(ARGV[6]) > 0 then
    local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', ARGV[6])
    for at = #newest, 1, -1 do entries[#entries + 1] = newest[at] end
    while #entries > tonumber(ARGV[7]) do table.remove(entries) end
  end
else
  entries = redis.call('XRANGE', KEYS[2], '(' .. ARGV[6], '+', 'COUNT', ARGV[7])
end
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local at = ''
if ARGV[5] == 'after' then
  local entry = redis.call('XRANGE', KEYS[2], ARGV[6], ARGV[6])[1]
  if entry then at = entry[2][2] end
end
local reply = { epoch, last, state[2] or '', state[3] or '', state[4] or '', oldest and oldest[2][4] or last, at }
local unmarked = redis.call('EXISTS', KEYS[4]) == 1
for _, entry in ipairs(entries) do
  local fields = entry[2]
  reply[#reply + 1] = entry[1]
  reply[#reply + 1] = fields[2]
  reply[#reply + 1] = fields[4]
  reply[#reply + 1] = fields[6]
  local owed = unmarked and redis.call('HEXISTS', KEYS[4], entry[1]) == 1
  reply[#reply + 1] = fields[8] .. (owed and '!' or '')
end
return reply
