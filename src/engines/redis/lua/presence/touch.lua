-- with shared.lua
-- Keeps rooms' presence for another while, and finds what is gone of what a pod has there.
-- KEYS: presence and tabs of each room in turn. ARGV: pod, ttl in ms; then for each room how many connections follow,
-- and for each of those three: connection, user, and 'lost' where it was lost, else when it said how it is, in ms, or ''.
-- Gives, in turn, users by presence and by tabs for each room; and the numbers, from 0 over all rooms, of the connections
-- of which something is gone.
local pod, ttl = ARGV[1], ARGV[2]

-- Whether a row is as row_of writes it.
local function has_form(row, user)
  if not row then return false end
  local start = '{"user_id":"' .. user .. '","status":"'
  if string.sub(row, 1, #start) ~= start then
    -- A name that JSON writes otherwise is not compared.
    local _, last = string.find(row, '","status":"', 1, true)
    if not last or not string.find(user, '[%z\1-\31"\\\239]') then return false end
    start = string.sub(row, 1, last)
  end
  return string.find(row, '^%a+","meta":{.*},"updated_at":%d+}$', #start + 1) ~= nil
end

local function is_gone(connection, state, has_row, text)
  if not text then return state ~= 'lost' or has_row end
  -- Nearly all are present through one connection, and say nothing.
  if has_row and state == '' and text == connection .. '@' .. pod then return false end
  local tabs, said = words(text)
  local stands = false
  for _, word in ipairs(tabs) do
    if is_connection(word, connection) and (state == 'lost' or pod_of(word) == pod) then stands = true end
  end
  -- Another connection of its user may have taken a lost one's place, and have left: then neither is there.
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
