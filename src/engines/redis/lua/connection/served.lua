-- Succeeds if the server has the slot of these keys, and all of them.
return 1
