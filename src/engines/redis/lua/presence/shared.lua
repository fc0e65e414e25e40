-- A row of the presence hash, and what travels between pods when it changes (src/engines/shared/envelope.ts).
local function row_of(user_json, status, meta, ms)
  local at = string.format('%.0f', math.floor(ms / 1000))
  return '{"user_id":' .. user_json .. ',"status":"' .. status .. '","meta":' .. meta .. ',"updated_at":' .. at .. '}'
end

-- Status and meta of a row as row_of wrote it; nothing for a row that is gone, or of another form.
local function read_row(row, user_json)
  local start = '{"user_id":' .. user_json .. ',"status":"'
  if row and string.sub(row, 1, #start) == start then
    return string.match(row, '^(%a+)","meta":({.*}),"updated_at":%d+}$', #start + 1)
  end
end

-- Milliseconds since 1970, by the clock that all pods share.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function announce(channel, change, kind, count, row)
  redis.call(PUBLISH, channel, 'presence ' .. change .. ' ' .. kind .. ' ' .. count .. '\n' .. row)
end

-- A user's connections in a room: words of the form <connection>@<pod>, and ! behind those that were lost; when one of
-- them last said how it is, in ms (a word of the form =<ms>); and, where what was known of the connections had been gone,
-- until when others may be there that are not written anew yet (?<ms>). Anything else there is no pod's.
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

-- Whether the word was written under a later name of the same pod: what comes now was held up on the way.
local function is_outdated(pod, word)
  local name, number = string.match(pod, '^(.*)%.(%d+)$')
  local word_name, word_number = string.match(word, '@([^!]*)%.(%d+)')
  return name == word_name and tonumber(number) < tonumber(word_number)
end

local function pod_of(word)
  return string.match(word, '@([^!]*)')
end

-- Keeps a key for so many ms more, but no shorter than another pod, which may have other settings, keeps it.
local function keep(key, ms)
  if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end

