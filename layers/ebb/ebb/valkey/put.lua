-- Holds records unless a higher version is held; an equal one only lives longer.
-- KEYS: the hot entities, then the records' keys. ARGV: life in milliseconds, then each record: version and JSON.
local life = ARGV[1]
for i = 2, #KEYS do
  local key, record = KEYS[i], ARGV[i]
  local held = redis.pcall('GETRANGE', key, 0, DIGITS - 1)
  local version = string.sub(record, 1, DIGITS)
  -- What is no record counts as forgotten.
  if type(held) ~= 'string' or #held < DIGITS or string.find(held, '%D') or held < version then
    redis.call('SET', key, record, 'PX', life)
  elseif held == version then
    redis.call('PEXPIRE', key, life, 'GT')
  end
  -- An erased subject is named nowhere any more.
  if string.sub(record, DIGITS + 1, DIGITS + 4) == '{"e"' then redis.call('ZREM', KEYS[1], string.sub(key, 3)) end
end
return redis.status_reply('OK')
