-- with shared.lua
-- Adds an entry, or a removal. ARGV: key, until (a removal: for how many ms it is remembered), denial (empty: removal), how
-- many entries there may be, the highest version that the pod knows. Gives version and until, or nothing if the list is
-- full.
local is_removal = ARGV[3] == ''
if not is_removal and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return {}
end
local order = next_order(ARGV[5])
local ends = tonumber(ARGV[2])
if is_removal then ends = now + ends end
write(ARGV[1], order, order, ends, ARGV[3])
return { string.format('%.0f', order), string.format('%.0f', ends) }
