-- Whether the server has the slot of these keys, with all of them.
return 1
