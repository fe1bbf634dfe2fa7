-- One question: may this client ask now, and is this entity hot?
-- Returns why not (0: it may, 1: its rate, 2: its quota), microseconds that the client owes, requests left of today
-- (-1: no quota) and microseconds until the next day (UTC).
-- KEYS: the client's rate and quota; then, where one entity is asked for, its record and the hot entities.
-- ARGV: requests to count; step and tolerance in microseconds (step 0: no limit); requests a day (-1: no quota);
-- then full and oldest life in milliseconds, and the entity.
-- HALF_LIFE (seconds), MOST, HOT stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local cost, step, tolerance, daily = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- Rate: the generic cell rate algorithm (ITU-T I.371, annex A) on the server's clock. Who owes no more than the
-- tolerance may ask, and then owes a step for each request counted.
local debt = 0
if step > 0 then
  local due, last = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ?(%d*)$')
  debt = math.max((tonumber(due) or now) - now, 0)
  -- A promoted replica's clock may lag behind the one that wrote this: no more can be owed than was counted last.
  debt = math.min(debt, tolerance + step * (tonumber(last) or 1))
end

local left, day, to_midnight = -1, '', 86400000000 - now % 86400000000
if daily >= 0 then
  day = KEYS[2] .. ':' .. math.floor(clock[1] / 86400)
  left = daily - (tonumber(redis.call('GET', day)) or 0)
  if cost > left then return {2, debt, math.max(left, 0), to_midnight} end
end
if debt > tolerance then return {1, debt, left, to_midnight} end
if step > 0 and cost > 0 then
  debt = debt + cost * step
  redis.call('SET', KEYS[1], string.format('%.0f %d', now + debt, cost), 'PX', math.ceil(debt / 1000))
end
if daily >= 0 then
  left = daily - redis.call('INCRBY', day, cost)
  redis.call('EXPIRE', day, 172800)
end
local admitted = {0, debt, left, to_midnight}

-- Only what is held can be hot; the record of an erased subject names nobody.
local held = KEYS[3] and redis.pcall('GETRANGE', KEYS[3], 16, 19)
if type(held) ~= 'string' or held == '' or held == '{"e"' then return admitted end

-- Counts that halve every HALF_LIFE, by forward decay (Cormode and others, ICDE 2009): each read adds
-- 2^(now / HALF_LIFE). Kept as logarithms to base 2, they never overflow and need no landmark.
local turns = now / (HALF_LIFE * 1000000)
local score = redis.call('ZSCORE', KEYS[4], ARGV[7])
local count = 1
if score then
  count = count + 2 ^ math.min(score - turns, 40)
elseif redis.call('ZCARD', KEYS[4]) >= MOST then
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, 0)
end
redis.call('ZADD', KEYS[4], string.format('%.17g', turns + math.log(count) / math.log(2)), ARGV[7])

if count >= HOT then
  local life = redis.call('PTTL', KEYS[3])
  if life >= 0 and ARGV[5] - life > tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[3], ARGV[5]) end
end
return admitted
