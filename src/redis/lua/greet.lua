-- with shared.lua
-- Whether this Redis takes writes, and whose data it has. KEYS: epoch. Gives the data's name.
local id = data_id(KEYS[1])
redis.call('SET', KEYS[1], id)
return id
