-- with shared.lua
-- Extends the ttl of rooms' presence, and finds what is missing of a pod's members there.
-- KEYS: presence and tabs of each room in turn. ARGV: pod, ttl in ms; then for each room the number of connections, and for
-- each of those three: connection, user, and 'lost' if it was lost, else when it stated its presence, in ms, or ''.
-- Gives the users by presence and by tabs for each room in turn; and the numbers, from 0 over all rooms, of the connections
-- of which something is missing.
local pod, ttl = ARGV[1], ARGV[2]

-- Whether a row is as row_of writes it.
local function has_form(row, user)
  if not row then return false end
  local start = '{"user_id":"' .. user .. '","status":"'
  if string.sub(row, 1, #start) ~= start then
    -- A user id that JSON escapes is not compared.
    local _, last = string.find(row, '","status":"', 1, true)
    if not last or not string.find(user, '[%z\1-\31"\\\239]') then return false end
    start = string.sub(row, 1, last)
  end
  return string.find(row, '^%a+","meta":{.*},"updated_at":%d+}$', #start + 1) ~= nil
end

local function is_gone(connection, state, has_row, text)
  if not text then return state ~= 'lost' or has_row end
  -- The fast path: most users have one connection, and made no statement.
  if has_row and state == '' and text == connection .. '@' .. pod then return false end
  local tabs, said = words(text)
  local stands = false
  for _, word in ipairs(tabs) do
    if is_connection(word, connection) and (state == 'lost' or pod_of(word) == pod) then stands = true end
  end
  -- Another connection of the user may have replaced the lost one and left: then neither is stored.
  if state == 'lost' then return has_row and #tabs == 0 or stands and not has_row end
  return not has_row or not stands or state ~= '' and tonumber(state) > (said or 0)
end

local users, gone, at, number = {}, {}, 3, 0
for key = 1, #KEYS, 2 do
  redis.call('PEXPIRE', KEYS[key], ttl, 'GT')
  redis.call('PEXPIRE', KEYS[key + 1], ttl, 'GT')
  local names = {}
  for index = 1, math.min(tonumber(ARGV[at]), #ARGV) do names[index] = ARGV[at + 3 * index - 1] end
  local rows, texts = redis.call('HMGET', KEYS[key], unpack(names)), redis.call('HMGET', KEYS[key + 1], unpack(names))
  for index, user in ipairs(names) do
    local connection, state = ARGV[at + 3 * index - 2], ARGV[at + 3 * index]
    if is_gone(connection, state, has_form(rows[index], user), texts[index]) then gone[#gone + 1] = number end
    number = number + 1
  end
  users[#users + 1] = redis.call('HLEN', KEYS[key])
  users[#users + 1] = redis.call('HLEN', KEYS[key + 1])
  at = at + 1 + 3 * #names
end
return { users, gone }
