-- with shared.lua
-- Which runs of servers serve in a Cluster; of those that do no longer it remembers when they ended.
-- KEYS: epoch. ARGV: now, then the run of each master. Gives the name of the data.
local serving, now = {}, ARGV[1]
for at = 2, #ARGV do serving[ARGV[at]] = true end
local known = redis.call('HGETALL', KEYS[1])
for at = 1, #known, 2 do
  local run = string.match(known[at], '^run:(.*)$')
  if run and not serving[run] then
    redis.call('HSET', KEYS[1], 'ended:' .. run, now)
    redis.call('HDEL', KEYS[1], known[at])
  end
end
for at = 2, #ARGV do redis.call('HSET', KEYS[1], 'run:' .. ARGV[at], '1') end
return name_of_data(KEYS[1])
