-- Sends a question to all other living pods. KEYS: pods. ARGV: the pod that asks, prefix of the channels of pods, prefix
-- of the keys that say that a pod has stopped, the question. Gives for each pod its name, and 1 if it got the question.
-- A pod that has stopped keeps its lease for the grace period, and has no connections to be asked about.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local asked, reply = { [ARGV[1]] = true }, {}
for _, lease in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')) do
  local pod = string.match(lease, '^(.*)%.%d+$') or lease
  if not asked[pod] then
    asked[pod] = true
    local got = redis.call(PUBLISH, ARGV[2] .. pod, ARGV[4])
    if got > 0 or redis.call('EXISTS', ARGV[3] .. pod) == 0 then
      reply[#reply + 1] = pod
      reply[#reply + 1] = got > 0 and 1 or 0
    end
  end
end
return reply
