-- The first id given under an idempotency key. KEYS: claim. ARGV: id, ttl in ms.
local first = redis.call('GET', KEYS[1])
if first then return first end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
