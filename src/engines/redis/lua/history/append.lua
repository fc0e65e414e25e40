-- with ../connection/shared.lua
-- Appends a message to a room's history and publishes it, unless that was done before.
-- KEYS: epoch, history, state, claim (only with an idempotency key). ARGV, first what is the same for all messages of a
-- pod: size and ttl in ms of the history, ttl of the state, ttl of the claim, how long after `now` the pod has given the
-- message up, pod; then what is the same for a room: its tag, channel; then epoch that the pod supplies, now, number of the
-- pod's connection, when the message was first sent (only if Redis may have taken it then), provisional id, trace, body.
-- Gives the id and the position before it; only the id if it was published before; nothing if it, or an earlier one on
-- this connection, came too late.
local tag, now, connection, since, provisional_id = ARGV[7], tonumber(ARGV[10]), ARGV[11], ARGV[12], ARGV[13]

-- It was held up on the way, and the pod may have sent it again over another connection. Later ones on this connection
-- must not be taken before it.
local time = redis.call('TIME')
local late = 'late:' .. ARGV[6]
if time[1] * 1000 + time[2] / 1000 > now + ARGV[5] then
  redis.call('HSET', KEYS[3], late, connection)
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
  return {}
end
local state, origin, number, taken_from
if KEYS[4] then
  state = redis.call('HMGET', KEYS[3], 'last', late, 'begun')
else
  -- Without an idempotency key the name is the pod and a growing number: a pod's publications are taken in that order.
  origin, number = string.match(provisional_id, '^(%w+)~(%w+)$')
  taken_from = 'taken:' .. (origin or '')
  state = redis.call('HMGET', KEYS[3], 'last', late, 'begun', taken_from)
end
if state[2] == connection then return {} end

local function tell(id, prev, body, trace)
  redis.call(PUBLISH, ARGV[8], 'message ' .. id .. ' ' .. prev .. ' ' .. provisional_id .. ' ' .. trace .. '\n' .. body)
end

local claimed = KEYS[4] and redis.call('GET', KEYS[4])
if claimed and since == '' then return { claimed } end
if claimed or since ~= '' then
  -- Publishes again: a missing right ends a script midway, so an earlier attempt may have stored the message without
  -- publishing it. Pods that have received it drop this.
  local function stored_before(entry)
    local id = position_of(entry, tag)
    tell(id, entry[2][4], entry[2][6], '')
    return { id }
  end

  if claimed then
    local at = string.match(claimed, '[^.]+$')
    local entry = redis.call('XRANGE', KEYS[2], at, at)[1]
    return entry and position_of(entry, tag) == claimed and stored_before(entry) or { claimed }
  end

  -- Among the messages that were stored since it was first sent.
  local function find()
    local from = stream_id(tonumber(since), 0)
    while from do
      local entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 200)
      for _, entry in ipairs(entries) do if entry[2][8] == provisional_id then return entry end end
      from = entries[200] and '(' .. entries[200][1]
    end
  end

  if number then
    local taken = state[4] and tonumber(string.match(state[4], '^%w+'), 36) >= tonumber(number, 36)
    -- If the state is lost only the messages can tell.
    local entry = (taken or not state[4]) and find()
    if entry then return stored_before(entry) end
    -- It was trimmed since, so its position is lost; the newest one is after it.
    if taken then return { state[1] } end
  end
end

local prev = state[1] or newest_stored(KEYS[2], tag)
local epoch = data_id(KEYS[1]) .. ARGV[9] .. (state[3] or beginning(KEYS[3], prev))
if not prev then prev = epoch .. '.' .. tag .. '.' .. stream_id(now, 0) end
if not state[1] then redis.call('HSET', KEYS[3], 'floor', prev) end
local ms, seq = ms_seq(prev)
if now > ms then ms, seq = now, 0 end
local at = stream_id(ms, seq + 1)
local id = epoch .. '.' .. tag .. '.' .. at
-- Before the message: if a missing right ended the script in between, the message would be stored, but the next one
-- would not name it as its predecessor, and a repetition would not be recognized.
if number then
  redis.call('HSET', KEYS[3], 'last', id, taken_from, number .. '@' .. time[1])
  if not state[4] then
    -- Removes the `taken:` fields of pods that have published nothing here for an hour (each holds the second): a room
    -- that lives for years would otherwise collect all pods. If such a pod repeats a publication, the messages tell.
    local all = redis.call('HGETALL', KEYS[3])
    for index = 1, #all, 2 do
      if string.sub(all[index], 1, 6) == 'taken:' then
        local second = tonumber(string.match(all[index + 1], '@(%d+)$') or 0)
        if time[1] - second > 3600 then redis.call('HDEL', KEYS[3], all[index]) end
      end
    end
  end
else
  redis.call('HSET', KEYS[3], 'last', id)
end
if KEYS[4] then redis.call('SET', KEYS[4], id, 'PX', ARGV[4]) end
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '=', ARGV[1], at, 'e', epoch, 'p', prev, 'b', ARGV[15], 'n', provisional_id)
if type(added) == 'table' and added.err then
  redis.call('HSET', KEYS[3], 'last', prev)
  if number then
    if state[4] then redis.call('HSET', KEYS[3], taken_from, state[4]) else redis.call('HDEL', KEYS[3], taken_from) end
  end
  if KEYS[4] then redis.call('DEL', KEYS[4]) end
  return added
end
if state[2] then redis.call('HDEL', KEYS[3], late) end
-- The messages live at least their ttl, and up to a minute more: so nearly every message only asks for it, which is
-- replicated and logged nowhere. A life that another release shortened is noticed. The state must not live longer.
local ttl = tonumber(ARGV[2])
if redis.call('PTTL', KEYS[2]) < ttl then
  redis.call('PEXPIRE', KEYS[2], ttl + math.min(60000, math.floor(ttl / 10)))
end
redis.call('PEXPIRE', KEYS[3], ARGV[3])
tell(id, prev, ARGV[15], ARGV[14])
return { id, prev }
