-- The first id given under an idempotency key, or nil. KEYS: claim.
return redis.call('GET', KEYS[1])
