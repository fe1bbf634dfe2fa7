-- States the newest version of the routing table; a lower one than is known changes nothing.
-- KEYS: the version. ARGV: the new one. Returns the one that now stands.
local held = redis.pcall('GET', KEYS[1])
held = type(held) == 'string' and tonumber(held) or 0
if tonumber(ARGV[1]) <= held then return held end
redis.call('SET', KEYS[1], ARGV[1])
return tonumber(ARGV[1])
