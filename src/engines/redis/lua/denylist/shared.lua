-- The denylist: rows are hash fields 'order version until denial', where denial is JSON, or empty for a removal. `order`
-- grows with every write here; `version` is that of the decision, and stays when a pod writes a lost row back.
-- KEYS of each script: entries, removals, a sorted set of both by order, facts (`name` of this list, last order).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function next_order(floor)
  local last = tonumber(redis.call('HGET', KEYS[4], 'order') or '0')
  local order = math.max(now, last + 1, tonumber(floor) + 1)
  redis.call('HSET', KEYS[4], 'order', string.format('%.0f', order))
  redis.call('HSETNX', KEYS[4], 'name', redis.sha1hex(order .. '.' .. time[2]))
  return order
end

local function write(key, order, version, ends, denial)
  local row = string.format('%.0f %.0f %.0f ', order, version, ends) .. denial
  local into, from = KEYS[1], KEYS[2]
  if denial == '' then into, from = KEYS[2], KEYS[1] end
  redis.call('HSET', into, key, row)
  redis.call('ZADD', KEYS[3], string.format('%.0f', order), key)
  -- Last: see count.lua.
  redis.call('HDEL', from, key)
end

local function row_of(key)
  return redis.call('HGET', KEYS[1], key) or redis.call('HGET', KEYS[2], key)
end

