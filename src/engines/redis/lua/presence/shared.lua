-- A row of the presence hash. Pods exchange rows too (src/engines/shared/envelope.ts).
local function row_of(user_json, status, meta, ms)
  local at = string.format('%.0f', math.floor(ms / 1000))
  return '{"user_id":' .. user_json .. ',"status":"' .. status .. '","meta":' .. meta .. ',"updated_at":' .. at .. '}'
end

-- Status and meta of a row as row_of wrote it; nothing if there is no row, or it has another form.
local function read_row(row, user_json)
  local start = '{"user_id":' .. user_json .. ',"status":"'
  if row and string.sub(row, 1, #start) == start then
    return string.match(row, '^(%a+)","meta":({.*}),"updated_at":%d+}$', #start + 1)
  end
end

-- Milliseconds since 1970, by the clock of Redis, which all pods share.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function announce(channel, change, kind, count, row)
  redis.call(PUBLISH, channel, 'presence ' .. change .. ' ' .. kind .. ' ' .. count .. '\n' .. row)
end

-- A user's connections in a room: words of the form <connection>@<pod>, with ! after those that were lost; when one of them
-- last stated its presence (=<ms>); and, if connections were lost, until when pods may still write others again (?<ms>). Any
-- other word was not written by a pod.
local function words(text)
  local list, said, unsure = {}, nil, nil
  for word in string.gmatch(text or '', '%S+') do
    local mark, ms = string.match(word, '^([=?])(%d+)$')
    if mark == '=' then
      said = tonumber(ms)
    elseif mark == '?' then
      unsure = tonumber(ms)
    elseif string.match(word, '^[^@]+@[^!]+%.%d+!?$') then
      list[#list + 1] = word
    end
  end
  return list, said, unsure
end

local function text_of(list, said, unsure)
  local text = table.concat(list, ' ')
  if said then text = text .. string.format(' =%.0f', said) end
  if unsure then text = text .. string.format(' ?%.0f', unsure) end
  return text
end

local function is_connection(word, connection)
  return string.sub(word, 1, #connection + 1) == connection .. '@'
end

local function is_lost(word)
  return string.sub(word, -1) == '!'
end

-- Whether the word was written under a later name of the same pod: this command was held up on the way.
local function is_outdated(pod, word)
  local name, number = string.match(pod, '^(.*)%.(%d+)$')
  local word_name, word_number = string.match(word, '@([^!]*)%.(%d+)')
  return name == word_name and tonumber(number) < tonumber(word_number)
end

local function pod_of(word)
  return string.match(word, '@([^!]*)')
end

-- Extends the ttl of a key, and never shortens it: another pod may have a longer one configured.
local function keep(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end

