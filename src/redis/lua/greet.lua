-- with shared.lua
-- Whether this Redis takes writes; it remembers which runs of the server there were, and when each ended.
-- KEYS: epoch. ARGV: run of the server, now.
data_id(KEYS[1])
local run = redis.call('HGET', KEYS[1], 'run')
if run and run ~= ARGV[1] then redis.call('HSET', KEYS[1], 'ended:' .. run, ARGV[2]) end
redis.call('HSET', KEYS[1], 'run', ARGV[1])
return 1
