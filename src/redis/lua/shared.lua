-- The name of the data that this Redis holds: it goes with the data, and another one is made when there is none.
local function data_id(key)
  local id = redis.call('HGET', key, 'data')
  if not id then
    local time = redis.call('TIME')
    id = string.sub(redis.sha1hex(time[1] .. '.' .. time[2]), 1, 6)
    redis.call('HSET', key, 'data', id)
  end
  return id
end

-- Milliseconds and sequence of a stream id or of a position, as numbers.
local function ms_seq(id)
  local ms, seq = string.match(id, '(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function stream_id(ms, seq)
  return string.format('%.0f-%.0f', ms, seq)
end

