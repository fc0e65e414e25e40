-- Tries every command with keys and channels that pods use, to find out which the user may not run. It leaves nothing
-- behind, and no pod acts on it. After a missing right the following commands may fail for other reasons.
-- KEYS: one that only this pod has, then examples of all other keys. ARGV: channels.
-- Gives two texts for each command that failed: its name, and the error.
local key, failed = KEYS[1], {}
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then
    failed[#failed + 1] = command
    failed[#failed + 1] = reply.err
  end
end

try('TIME')
-- First a command that fails if there is no memory, and that replaces a key of any type.
try('SET', key, '', 'PX', 1000)
try('GET', key)
try('EXISTS', key)
try('TYPE', key)
try('PTTL', key)
try('PEXPIRE', key, 0)
try('DEL', key)

try('HSET', key, 'field', 0)
try('HSETNX', key, 'field', 0)
try('HINCRBY', key, 'field', 1)
try('HGET', key, 'field')
try('HMGET', key, 'field')
try('HGETALL', key)
try('HEXISTS', key, 'field')
try('HLEN', key)
try('HSCAN', key, 0)
try('HDEL', key, 'field')

try('SADD', key, 'member')
try('SSCAN', key, 0)
try('SREM', key, 'member')

try('ZADD', key, 0, 'member')
try('ZSCORE', key, 'member')
try('ZRANGEBYSCORE', key, '-inf', '+inf')
try('ZRANGEBYLEX', key, '-', '+')
try('ZREM', key, 'member')

try('XADD', key, 'NOMKSTREAM', '*', 'field', 'value')
try('XRANGE', key, '-', '+')
try('XREVRANGE', key, '+', '-')

-- The key stays only if the right to remove it is missing.
try('PEXPIRE', key, 0)
for _, channel in ipairs(ARGV) do try(PUBLISH, channel, 'probe\n') end
return failed
