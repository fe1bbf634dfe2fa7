-- One prediction's question: may this client ask now, and is this entity hot? Returns microseconds to wait, 0 for none.
-- KEYS: the client's limit, the entity's record, the hot entities.
-- ARGV: step and tolerance in microseconds (step 0: no limit), full and oldest life in milliseconds, the entity.
-- HALF_LIFE (seconds), MOST, HOT stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- Rate limit: the generic cell rate algorithm (ITU-T I.371, annex A) on the server's clock.
local step = tonumber(ARGV[1])
if step > 0 then
  local tolerance = tonumber(ARGV[2])
  local due = tonumber(redis.call('GET', KEYS[1])) or now
  if due < now then due = now end
  -- A promoted replica's clock may lag behind the one that wrote this.
  if due > now + tolerance + step then due = now + tolerance + step end
  local wait = due - now - tolerance
  if wait > 0 then return math.ceil(wait) end
  redis.call('SET', KEYS[1], string.format('%.0f', due + step), 'PX', math.ceil((due + step - now) / 1000))
end

-- Only what is held can be hot; the record of an erased subject names nobody.
local held = redis.pcall('GETRANGE', KEYS[2], 16, 19)
if type(held) ~= 'string' or held == '' or held == '{"e"' then return 0 end

-- Counts that halve every HALF_LIFE, by forward decay (Cormode and others, ICDE 2009): each read adds
-- 2^(now / HALF_LIFE). Kept as logarithms to base 2, they never overflow and need no landmark.
local turns = now / (HALF_LIFE * 1000000)
local score = redis.call('ZSCORE', KEYS[3], ARGV[5])
local count = 1
if score then
  count = count + 2 ^ math.min(score - turns, 40)
elseif redis.call('ZCARD', KEYS[3]) >= MOST then
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, 0)
end
redis.call('ZADD', KEYS[3], string.format('%.17g', turns + math.log(count) / math.log(2)), ARGV[5])

if count >= HOT then
  local life = redis.call('PTTL', KEYS[2])
  if life >= 0 and ARGV[3] - life > tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
end
return 0
