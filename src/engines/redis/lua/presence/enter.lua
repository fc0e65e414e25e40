-- with shared.lua
-- Connections of one pod are present in one room, which the pod has noted (note.lua).
-- KEYS: presence, tabs, whether the pod was reaped there; and, if the connections were written under a former name of the
-- pod, whether that name was: if not, they were there all the time and have not joined.
-- ARGV: pod, ttl in ms, channel; then for each connection nine: connection, user, user as JSON, when it stated its presence
-- ('now', ms ago, '=' and a moment that was given here before, or '' if it did not), status or '', meta or '', '!' if it was
-- lost, '<' if it returns, else '', name of the change ('': nothing is announced, because it was there all the time; but if
-- some of it was missing, pods are told that the room was repaired), how many users may be present if this one is not yet ('':
-- any number).
-- A statement older than the stored one is ignored. Gives 'lapsed', or for each connection four: kind or '', users present,
-- row, the moment of its statement or ''. The kind `full`: too many users are present, and nothing was changed.
local pod, ttl, channel = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', KEYS[3]) == 1 then return 'lapsed' end
local stayed = KEYS[4] and redis.call('EXISTS', KEYS[4]) == 0

-- In ms since 1970; nothing if it made no statement.
local function moment(said, now)
  if said == 'now' then return now end
  return tonumber(string.match(said, '^=(%d+)$')) or said ~= '' and now - said or nil
end

-- Stores a connection among those of its user. A user who returns has another connection, which replaces the lost one. A
-- lost connection is not stored beside others.
local function put(tabs, connection, mark)
  local place, lost
  for index, word in ipairs(tabs) do
    if is_connection(word, connection) then place = index end
    if not lost and is_lost(word) then lost = index end
  end
  if place and is_outdated(pod, tabs[place]) then return end
  if not place and mark == '!' and #tabs > 0 then return end
  if not place and lost and mark == '<' then table.remove(tabs, lost) end
  tabs[place or #tabs + 1] = connection .. '@' .. pod .. (mark == '!' and mark or '')
end

local reply, now, mended = {}, now_ms(), false
local function answer(kind, count, row, moment)
  for _, value in ipairs({ kind, count, row, moment }) do reply[#reply + 1] = value end
end

local function enter(at)
  local user, user_json, change = ARGV[at + 1], ARGV[at + 2], ARGV[at + 7]
  local former = redis.call('HGET', KEYS[1], user)
  local status, meta = read_row(former, user_json)
  local tabs, said, unsure = words(redis.call('HGET', KEYS[2], user))
  -- One of the two hashes may have been evicted. Without a row the statement is lost. A row without connections holds the
  -- user's last statement, of an unknown connection.
  local known = status or #tabs > 0
  local most = tonumber(ARGV[at + 8])
  if most and not known and redis.call('HLEN', KEYS[1]) >= most then return answer('full', 0, '', '') end
  if not status then said = nil elseif #tabs == 0 then said = now end
  local is_new, says = ARGV[at + 3] == 'now', moment(ARGV[at + 3], now)
  local states = says and (is_new or not said or says >= said)
  if states then said = math.max(says, said or 0) end
  local differs, was_gone = false, not status or #tabs == 0
  -- Every pod repairs its rows within a third of the ttl and a second.
  if #tabs == 0 and change ~= '' and (status or stayed) then unsure = now + ttl / 3 + 1000 end
  put(tabs, ARGV[at], ARGV[at + 6])
  if states or not status then
    local next_status = ARGV[at + 4] ~= '' and ARGV[at + 4] or status or 'online'
    local next_meta = ARGV[at + 5] ~= '' and ARGV[at + 5] or meta or '{}'
    differs = status and (next_status ~= status or next_meta ~= meta)
    status, meta = next_status, next_meta
  end
  local row = row_of(user_json, status, meta, now)
  local count = redis.call('HLEN', KEYS[1]) + (former and 0 or 1)
  local kind = (not known and 'join') or (states and (is_new or differs) and 'update') or ''
  -- What was stored here before is not announced again.
  if change == '' or stayed and (kind == 'join' or not string.match(ARGV[at + 3], '^%d+$')) then
    kind = ''
    if not mended and (was_gone or differs) then
      mended = true
      announce(channel, '', 'mended', 0, '')
    end
  end
  -- Announced before it is written: a missing right ends a script midway, and a change that is written is never announced again.
  if kind ~= '' then announce(channel, change, kind, count, row) end
  redis.call('HSET', KEYS[2], user, text_of(tabs, said, unsure))
  redis.call('HSET', KEYS[1], user, row)
  answer(kind, count, row, says and string.format('%.0f', states and said or says) or '')
end

for at = 4, #ARGV, 9 do enter(at) end
for index = 1, 2 do keep(KEYS[index], ttl) end
return reply
