-- with shared.lua
-- A connection was lost; its user may return. KEYS: tabs. ARGV: connection, user.
local tabs, said, unsure = words(redis.call('HGET', KEYS[1], ARGV[2]))
for index, word in ipairs(tabs) do
  if is_connection(word, ARGV[1]) and not is_lost(word) then
    -- At the end, so that the connection that was lost first is replaced first.
    table.remove(tabs, index)
    tabs[#tabs + 1] = word .. '!'
    redis.call('HSET', KEYS[1], ARGV[2], text_of(tabs, said, unsure))
    break
  end
end
return 1
