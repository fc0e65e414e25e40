-- with ../connection/shared.lua
-- Appends messages to the histories of their rooms, in this order, and publishes each, unless that was done before.
-- KEYS: epoch; history and state of each room; then the claims of messages with an idempotency key, and the values of rooms.
-- ARGV, first what is the same for all messages of a pod: how much longer than its messages a room is known, ttl of the
-- claim, how long after `now` the pod has given the messages up, pod; then epoch that the pod supplies, now, number of the
-- pod's connection, how many rooms; for each room four: its tag, channel, size and ttl of its history; for each message
-- seven: number of its room, number of the key that is its claim or '', when it was first sent (only if Redis may have
-- taken it then), provisional id, trace, body, number of the key that it is the value of and for how long or ''. All times
-- are in ms.
-- Gives a text for each message: the id and the position before it; only the id if it was published before; nothing if
-- it, or an earlier one on this connection, came too late. A message that fails has an error instead, and the others are
-- still appended.
local late = 'late:' .. ARGV[4]
local now, connection, count = tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8])
local FIRST, FIELDS = 9 + 4 * count, 7
local replies = {}

-- They were held up on the way, and the pod may have sent them again over another connection. Later ones on this
-- connection must not be taken before them.
local time = redis.call('TIME')
if time[1] * 1000 + time[2] / 1000 > now + ARGV[3] then
  for number = 1, count do
    redis.call('HSET', KEYS[2 * number + 1], late, connection)
    redis.call('PEXPIRE', KEYS[2 * number + 1], ARGV[8 + 4 * number] + ARGV[1])
  end
  for at = FIRST, #ARGV, FIELDS do replies[#replies + 1] = '' end
  return replies
end

local rooms, data = {}, nil

-- Without an idempotency key the name is the pod and a growing number: a pod's publications are taken in that order.
local function open(number, taken_from)
  local n = tonumber(number)
  local room = { history = KEYS[2 * n], state = KEYS[2 * n + 1] }
  room.tag, room.channel, room.size, room.ttl = unpack(ARGV, 5 + 4 * n, 8 + 4 * n)
  local state = redis.call('HMGET', room.state, 'last', late, 'begun', taken_from or late)
  room.last, room.late, room.begun = state[1], state[2], state[3]
  if taken_from then room.taken_from, room.taken, room.is_new = taken_from, state[4], not state[4] end
  rooms[number] = room
  return room
end

local function append(at)
  local claim, since, provisional_id = KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  local origin, number, taken_from
  if not claim then
    origin, number = string.match(provisional_id, '^(%w+)~(%w+)$')
    taken_from = origin and 'taken:' .. origin
  end
  local room = rooms[ARGV[at]] or open(ARGV[at], taken_from)
  if room.late == connection then return '' end
  if taken_from and room.taken_from ~= taken_from then
    if room.noted and room.taken then redis.call('HSET', room.state, room.taken_from, room.taken) end
    local taken = redis.call('HGET', room.state, taken_from)
    room.taken_from, room.taken, room.is_new = taken_from, taken, not taken
  end

  local function tell(id, prev, body, trace)
    redis.call(PUBLISH, room.channel, 'message ' .. id .. ' ' .. prev .. ' ' .. provisional_id .. ' ' .. trace .. '\n' .. body)
  end

  local claimed = claim and redis.call('GET', claim)
  if claimed and since == '' then return claimed end
  if claimed or since ~= '' then
    -- Publishes again: a missing right ends a message midway, so an earlier attempt may have stored the message without
    -- publishing it. Pods that have received it drop this.
    local function stored_before(entry)
      local id = position_of(entry, room.tag)
      tell(id, entry[2][4], entry[2][6], '')
      return id
    end

    if claimed then
      local where = string.match(claimed, '[^.]+$')
      local entry = redis.call('XRANGE', room.history, where, where)[1]
      return entry and position_of(entry, room.tag) == claimed and stored_before(entry) or claimed
    end

    -- Among the messages that were stored since it was first sent.
    local function find()
      local from = stream_id(tonumber(since), 0)
      while from do
        local entries = redis.call('XRANGE', room.history, from, '+', 'COUNT', 200)
        for _, entry in ipairs(entries) do if entry[2][8] == provisional_id then return entry end end
        from = entries[200] and '(' .. entries[200][1]
      end
    end

    if number then
      local taken = room.taken and tonumber(string.match(room.taken, '^%w+'), 36) >= tonumber(number, 36)
      -- If the state is lost only the messages can tell.
      local entry = (taken or not room.taken) and find()
      if entry then return stored_before(entry) end
      -- It was trimmed since, so its position is lost; the newest one is after it.
      if taken then return room.last end
    end
  end

  local prev = room.last or newest_stored(room.history, room.tag)
  data = data or data_id(KEYS[1])
  room.begun = room.begun or beginning(room.state, prev)
  local epoch = data .. ARGV[5] .. room.begun
  if not prev then prev = epoch .. '.' .. room.tag .. '.' .. stream_id(now, 0) end
  if not room.last then redis.call('HSET', room.state, 'floor', prev) end
  local ms, seq = ms_seq(prev)
  if now > ms then ms, seq = now, 0 end
  local stream = stream_id(ms, seq + 1)
  local id = epoch .. '.' .. room.tag .. '.' .. stream
  local taken = number and number .. '@' .. time[1]
  -- Before the message: if a missing right ended it in between, the message would be stored, but the next one would not
  -- name it as its predecessor, and a repetition would not be recognized. After the first message of a room nothing can
  -- be missing, so the following ones are noted once, at the end.
  local is_first = not room.noted
  if is_first then
    if taken then redis.call('HSET', room.state, 'last', id, taken_from, taken)
    else redis.call('HSET', room.state, 'last', id) end
  end
  local added = claim and redis.pcall('SET', claim, id, 'PX', ARGV[2])
  if not (added and added.err) then
    added = redis.pcall('XADD', room.history, 'MAXLEN', '=', room.size, stream, 'e', epoch, 'p', prev, 'b', ARGV[at + 5], 'n', provisional_id)
  end
  if type(added) == 'table' and added.err then
    if is_first then
      redis.call('HSET', room.state, 'last', prev)
      if number then
        if room.taken then redis.call('HSET', room.state, taken_from, room.taken) else redis.call('HDEL', room.state, taken_from) end
      end
    end
    if claim then redis.call('DEL', claim) end
    return added
  end
  room.last = id
  if taken then room.taken = taken end
  if is_first then room.noted, room.noted_taken = id, taken end
  local value, life = string.match(ARGV[at + 6], '^(%d+) (%d+)$')
  if value then
    local text = string.format('%.0f %s %s\n%s', now, id, provisional_id, ARGV[at + 5])
    redis.pcall('SET', KEYS[tonumber(value)], text, 'PX', life)
  end
  tell(id, prev, ARGV[at + 5], ARGV[at + 4])
  return id .. ' ' .. prev
end

for at = FIRST, #ARGV, FIELDS do
  local ok, reply = pcall(append, at)
  -- Redis 6 raises texts.
  if not ok and type(reply) ~= 'table' then reply = { err = tostring(reply) } end
  replies[#replies + 1] = reply
end

for _, room in pairs(rooms) do
  if room.noted and room.noted ~= room.last then
    if room.taken_from then redis.call('HSET', room.state, 'last', room.last, room.taken_from, room.taken)
    else redis.call('HSET', room.state, 'last', room.last) end
  end
end
for _, room in pairs(rooms) do
  if room.noted then
    if room.is_new then
      -- Removes the `taken:` fields of pods that have published nothing here for an hour (each holds the second): a room
      -- that lives for years would otherwise collect all pods. If such a pod repeats a publication, the messages tell.
      local all = redis.call('HGETALL', room.state)
      for index = 1, #all, 2 do
        if string.sub(all[index], 1, 6) == 'taken:' then
          local second = tonumber(string.match(all[index + 1], '@(%d+)$') or 0)
          if time[1] - second > 3600 then redis.call('HDEL', room.state, all[index]) end
        end
      end
    end
    if room.late then redis.call('HDEL', room.state, late) end
    -- The messages live at least their ttl, and up to a minute more: so nearly every message only asks for it, which is
    -- replicated and logged nowhere. A life that another release shortened is noticed. The state must not live longer.
    local ttl = tonumber(room.ttl)
    if redis.call('PTTL', room.history) < ttl then
      redis.call('PEXPIRE', room.history, ttl + math.min(60000, math.floor(ttl / 10)))
    end
    redis.call('PEXPIRE', room.state, ttl + ARGV[1])
  end
end
return replies
