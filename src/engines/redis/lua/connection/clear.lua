-- Deletes keys that have another type than they must have. KEYS: any. ARGV: the type of each. Gives the deleted keys.
local cleared = {}
for index, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= ARGV[index] then
    redis.call('DEL', key)
    cleared[#cleared + 1] = key
  end
end
return cleared
