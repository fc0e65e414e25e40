-- with ../../redis/lua/shared.lua
-- Appends a message to a room's history and tells the pods, unless that was done before.
-- KEYS: epoch, history, state, provisional, claim (only with an idempotency key). ARGV: what is told of the epoch, now,
-- tag of the room, size and ttl in ms of the history, ttl of the room's state, channel, provisional id, body, trace,
-- '1' if it was delivered provisionally, when it was first sent (only if it may have been taken then), ttl of the claim,
-- the time after which nobody waits for it, pod, and which of the pod's connections this is. Gives id and the position
-- before it; for what was published before the id alone; nothing if it, or one before it, came too late.
local told, now, tag = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local ttl, state_ttl, channel, provisional_id = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

-- Held up on the way while the pod gave it up, and perhaps sent it again by another connection. What follows it on this
-- connection must not be taken before it.
local time = redis.call('TIME')
local late = 'late:' .. ARGV[15]
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[14]) then
  redis.call('HSET', KEYS[3], late, ARGV[16])
  redis.call('PEXPIRE', KEYS[3], state_ttl)
  return {}
end
local state = redis.call('HMGET', KEYS[3], 'last', late, 'begun')
if state[2] == ARGV[16] then return {} end

-- It is in the history without saying what it was called provisionally: those who read it are told (lua/read.lua).
local function published_before(id)
  if ARGV[11] == '1' then
    redis.call('HSET', KEYS[4], string.match(id, '[^.]+$'), provisional_id)
    redis.call('PEXPIRE', KEYS[4], ttl)
  end
  return { id }
end

local claimed = KEYS[5] and redis.call('GET', KEYS[5])
if claimed then return published_before(claimed) end
if ARGV[12] ~= '' then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[2], stream_id(tonumber(ARGV[12]), 0), '+')) do
    local fields = entry[2]
    if fields[8] == provisional_id then return published_before(fields[2] .. '.' .. tag .. '.' .. entry[1]) end
  end
end

local prev = state[1]
local epoch = data_id(KEYS[1]) .. told .. (state[3] or not prev and beginning(KEYS[3]) or '')
if not prev then
  prev = epoch .. '.' .. tag .. '.' .. stream_id(now, 0)
  redis.call('HSET', KEYS[3], 'floor', prev)
end
local ms, seq = ms_seq(prev)
if now > ms then ms, seq = now, 0 end
local at = stream_id(ms, seq + 1)
local id = epoch .. '.' .. tag .. '.' .. at
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[4], at, 'e', epoch, 'p', prev, 'b', ARGV[9], 'n', provisional_id)
redis.call('PEXPIRE', KEYS[2], ttl)
redis.call('HSET', KEYS[3], 'last', id)
if state[2] then redis.call('HDEL', KEYS[3], late) end
redis.call('PEXPIRE', KEYS[3], state_ttl)
if KEYS[5] then redis.call('SET', KEYS[5], id, 'PX', ARGV[13]) end
local head = 'message ' .. id .. ' ' .. prev .. ' ' .. provisional_id .. ' ' .. ARGV[10]
redis.call(PUBLISH, channel, head .. '\n' .. ARGV[9])
return { id, prev }
