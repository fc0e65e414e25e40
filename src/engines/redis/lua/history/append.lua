-- with ../connection/shared.lua
-- Appends a message to a room's history and tells the pods, unless that was done before.
-- KEYS: epoch, history, state, claim (only with an idempotency key). ARGV: what is told of the epoch, now, tag of the
-- room, size and ttl in ms of the history, ttl of the room's state, channel, provisional id, body, trace, when it was
-- first sent (only if it may have been taken then), ttl of the claim, the time after which nobody waits for it, pod, and
-- which of the pod's connections this is. Gives id and the position before it; for what was published before the id
-- alone; nothing if it, or one before it, came too late.
local told, now, tag = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local ttl, state_ttl, channel, provisional_id = ARGV[5], ARGV[6], ARGV[7], ARGV[8]

-- Held up on the way while the pod gave it up, and perhaps sent it again by another connection. What follows it on this
-- connection must not be taken before it.
local time = redis.call('TIME')
local late = 'late:' .. ARGV[14]
if time[1] * 1000 + time[2] / 1000 > tonumber(ARGV[13]) then
  redis.call('HSET', KEYS[3], late, ARGV[15])
  redis.call('PEXPIRE', KEYS[3], state_ttl)
  return {}
end
-- A name without a key is a pod's and a number that grows: what a pod publishes in a room is taken in that order.
local origin, number = string.match(provisional_id, '^(%w+)~(%w+)$')
local taken_from = 'taken:' .. (origin or '')
local state = redis.call('HMGET', KEYS[3], 'last', late, 'begun', taken_from)
if state[2] == ARGV[15] then return {} end

local function tell(id, prev, body, trace)
  local head = 'message ' .. id .. ' ' .. prev .. ' ' .. provisional_id .. ' ' .. trace
  redis.call(PUBLISH, channel, head .. '\n' .. body)
end

-- The attempt before this one may have ended after it was kept and before the pods were told: a right that is missing
-- ends a script in the middle. A pod that has heard of it already drops this.
local function kept_before(entry)
  local id = position_of(entry, tag)
  tell(id, entry[2][4], entry[2][6], '')
  return { id }
end

-- Among those that were kept since it was first sent.
local function find()
  local from = stream_id(tonumber(ARGV[11]), 0)
  while from do
    local entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 200)
    for _, entry in ipairs(entries) do if entry[2][8] == provisional_id then return entry end end
    from = entries[200] and '(' .. entries[200][1]
  end
end

-- What was last taken from pods that have published nothing here for an hour, each with the second in which that was:
-- most of them are gone, and a room that lives for years would keep them all. Such a pod that sends something again is
-- answered by the messages.
local function forget_old()
  local all = redis.call('HGETALL', KEYS[3])
  for index = 1, #all, 2 do
    if string.sub(all[index], 1, 6) == 'taken:' then
      local second = tonumber(string.match(all[index + 1], '@(%d+)$') or 0)
      if time[1] - second > 3600 then redis.call('HDEL', KEYS[3], all[index]) end
    end
  end
end

local claimed = KEYS[4] and redis.call('GET', KEYS[4])
if claimed and ARGV[11] == '' then return { claimed } end
if claimed then
  local at = string.match(claimed, '[^.]+$')
  local entry = redis.call('XRANGE', KEYS[2], at, at)[1]
  return entry and position_of(entry, tag) == claimed and kept_before(entry) or { claimed }
end
if ARGV[11] ~= '' and number then
  local taken = state[4] and tonumber(string.match(state[4], '^%w+'), 36) >= tonumber(number, 36)
  -- Where the state is gone only the messages can tell.
  local entry = (taken or not state[4]) and find()
  if entry then return kept_before(entry) end
  -- It has been trimmed since: its place was before this one.
  if taken then return { state[1] } end
end

local prev = state[1] or newest_kept(KEYS[2], tag)
local epoch = data_id(KEYS[1]) .. told .. (state[3] or beginning(KEYS[3], prev))
if not prev then prev = epoch .. '.' .. tag .. '.' .. stream_id(now, 0) end
if not state[1] then redis.call('HSET', KEYS[3], 'floor', prev) end
local ms, seq = ms_seq(prev)
if now > ms then ms, seq = now, 0 end
local at = stream_id(ms, seq + 1)
local id = epoch .. '.' .. tag .. '.' .. at
-- Before the message: with a right missing in between there would be one that no later message follows, or that nobody
-- knows to have been taken.
if number then
  redis.call('HSET', KEYS[3], 'last', id, taken_from, number .. '@' .. time[1])
  if not state[4] then forget_old() end
else
  redis.call('HSET', KEYS[3], 'last', id)
end
if KEYS[4] then redis.call('SET', KEYS[4], id, 'PX', ARGV[12]) end
local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '=', ARGV[4], at, 'e', epoch, 'p', prev, 'b', ARGV[9], 'n', provisional_id)
if type(added) == 'table' and added.err then
  redis.call('HSET', KEYS[3], 'last', prev)
  if state[4] then redis.call('HSET', KEYS[3], taken_from, state[4]) else redis.call('HDEL', KEYS[3], taken_from) end
  if KEYS[4] then redis.call('DEL', KEYS[4]) end
  return added
end
redis.call('PEXPIRE', KEYS[2], ttl)
if state[2] then redis.call('HDEL', KEYS[3], late) end
redis.call('PEXPIRE', KEYS[3], state_ttl)
tell(id, prev, ARGV[9], ARGV[10])
return { id, prev }
