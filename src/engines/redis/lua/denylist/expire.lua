-- with shared.lua
-- Removes rows that have ended. ARGV: their keys.
for _, key in ipairs(ARGV) do
  local row = row_of(key)
  local ends = row and tonumber(string.match(row, '^%d+ %d+ (%d+) '))
  if not ends or ends <= now then
    redis.call('ZREM', KEYS[3], key)
    redis.call('HDEL', KEYS[1], key)
    redis.call('HDEL', KEYS[2], key)
  end
end
return 1
