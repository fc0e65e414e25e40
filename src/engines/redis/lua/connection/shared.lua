-- The name of the data in this Redis: stored with the data, and made when there is none.
local function name_of_data(key)
  local id = redis.call('HGET', key, 'data')
  if not id then
    local time = redis.call('TIME')
    id = string.sub(redis.sha1hex(time[1] .. '.' .. time[2]), 1, 6)
    redis.call('HSET', key, 'data', id)
  end
  return id
end

-- The part of an epoch before the run of the server. The masters of a Cluster share one name of the data, which the pod
-- supplies with the run.
local function data_id(key)
  return CLUSTER and '' or name_of_data(key)
end

-- The beginning of the room's history that a position names, after the data and the run; or nothing.
local function beginning_in(id)
  return id and string.match(id, '^............(%w+)%.')
end

-- Names the beginning of a room's history whose state is missing: it is new, or was evicted, deleted, or lost with one
-- master of a Cluster. The name of the data is unchanged then, and new positions must differ from the lost ones. While a
-- message is stored, the history goes on.
local function beginning(state, newest)
  local name = beginning_in(newest)
  if not name then
    local time = redis.call('TIME')
    name = string.sub(redis.sha1hex(time[1] .. '.' .. time[2]), 1, 4)
  end
  redis.call('HSET', state, 'begun', name)
  return name
end

-- Milliseconds and sequence of a stream id or of a position, as numbers.
local function ms_seq(id)
  local ms, seq = string.match(id, '(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function stream_id(ms, seq)
  return string.format('%.0f-%.0f', ms, seq)
end

-- Of two stream ids.
local function is_before(id, other)
  local ms, seq = ms_seq(id)
  local other_ms, other_seq = ms_seq(other)
  return ms < other_ms or (ms == other_ms and seq < other_seq)
end

-- The position of an entry of a room's stream.
local function position_of(entry, tag)
  return entry[2][2] .. '.' .. tag .. '.' .. entry[1]
end

-- The newest position of a room whose state was evicted or deleted.
local function newest_stored(history, tag)
  local entry = redis.call('XREVRANGE', history, '+', '-', 'COUNT', 1)[1]
  return entry and position_of(entry, tag)
end

