-- with shared.lua
-- Gives the name of the list, its last order, how many entries and removals it has, then key and row of those written after
-- an order. ARGV: that order, how many rows at most.
local reply = {
  redis.call('HGET', KEYS[4], 'name') or '',
  redis.call('HGET', KEYS[4], 'order') or '0',
  redis.call('HLEN', KEYS[1]),
  redis.call('HLEN', KEYS[2]),
}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])) do
  reply[#reply + 1] = key
  reply[#reply + 1] = row_of(key) or ''
end
return reply
