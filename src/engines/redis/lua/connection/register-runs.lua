-- with shared.lua
-- Records which runs of its masters a Cluster has, and when other runs ended.
-- KEYS: epoch. ARGV: now, how many masters there are, the run of each, then runs that the pod knew before: this server may
-- have gone back to data that does not know them. Gives the name of the data.
local name = name_of_data(KEYS[1])
local serving, now, count = {}, ARGV[1], math.min(tonumber(ARGV[2]), #ARGV - 2)
local function ended(run)
  if serving[run] then return end
  redis.call('HSETNX', KEYS[1], 'ended:' .. run, now)
  redis.call('HDEL', KEYS[1], 'run:' .. run)
end
for at = 3, count + 2 do serving[ARGV[at]] = true end
local known = redis.call('HGETALL', KEYS[1])
if count > 0 then
  for at = 1, #known, 2 do
    local run = string.match(known[at], '^run:(.*)$')
    if run then ended(run) end
  end
  for at = count + 3, #ARGV do ended(ARGV[at]) end
end
for at = 3, count + 2 do
  redis.call('HDEL', KEYS[1], 'ended:' .. ARGV[at])
  redis.call('HSET', KEYS[1], 'run:' .. ARGV[at], '1')
end
return name
