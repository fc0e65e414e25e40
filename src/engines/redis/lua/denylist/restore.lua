-- with shared.lua
-- Writes rows back that Redis has lost, unless it has newer ones. ARGV: key, version, until, denial for each.
for at = 1, #ARGV, 4 do
  local row = row_of(ARGV[at])
  local known = row and tonumber(string.match(row, '^%d+ (%d+) ')) or -1
  if known < tonumber(ARGV[at + 1]) then
    write(ARGV[at], next_order(0), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3])
  end
end
return 1
