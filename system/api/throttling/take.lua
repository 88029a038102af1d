-- Takes one request from every bucket, or from none of them when one refuses.
--
-- Each bucket is a token bucket (how many tokens are missing, and when that was so) and a sliding window (up to 61
-- counters, each of a sixtieth of the window). A counter is forgotten one window after its latest request, so no window,
-- wherever it begins, holds more than the limit. Only the clock of Redis counts.
--
-- KEYS: one a bucket. ARGV: limit, window in microseconds, burst; three a bucket.
-- Answers one text, which is cheaper to read than many numbers: 1 or 0, now, then remaining, moment of being full again,
-- wait; three a bucket. Times are in microseconds.
local SLOTS, FIRST = 60, 3
local ROUNDING = 0.000001
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local allowed = 1
local buckets = {}

for i, key in ipairs(KEYS) do
  local limit, window, burst = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local packed = redis.call('GET', key)
  -- {missing, since, slot, count, latest, slot, count, latest, ...}, oldest first
  local old = packed and cmsgpack.unpack(packed) or {0, now}
  local interval = window / limit
  local missing = math.max(0, old[1] - math.max(0, now - old[2]) / interval)
  local state, used = {missing, now}, 0
  for at = FIRST, #old, 3 do
    if old[at + 2] + window > now then
      state[#state + 1], state[#state + 2], state[#state + 3] = old[at], old[at + 1], old[at + 2]
      used = used + old[at + 1]
    end
  end
  local lacking = missing + 1 - burst
  local wait = lacking > ROUNDING and lacking * interval or 0
  local over = used + 1 - limit
  for at = FIRST, #state, 3 do
    if over <= 0 then break end
    over = over - state[at + 1]
    if over <= 0 then wait = math.max(wait, state[at + 2] + window - now) end
  end
  if wait > 0 then allowed = 0 end
  buckets[i] = {limit = limit, window = window, burst = burst, interval = interval, state = state, used = used, wait = wait}
end

local answer = {allowed, now}
for i, key in ipairs(KEYS) do
  local bucket = buckets[i]
  local state = bucket.state
  if allowed == 1 then
    local slot = math.floor(now * SLOTS / bucket.window)
    local newest = #state - 2
    -- A clock that was put back counts in the newest slot, so that the order stays.
    if newest >= FIRST and state[newest] >= slot then
      state[newest + 1], state[newest + 2] = state[newest + 1] + 1, math.max(state[newest + 2], now)
    else
      state[#state + 1], state[#state + 2], state[#state + 3] = slot, 1, now
    end
    state[1] = state[1] + 1
    bucket.used = bucket.used + 1
  end
  local full = now + state[1] * bucket.interval
  if #state >= FIRST then full = math.max(full, state[#state] + bucket.window) end
  if allowed == 1 then
    redis.call('SET', key, cmsgpack.pack(state), 'PX', math.ceil((full - now) / 1000) + 1000)
  end
  local left = math.floor(math.min(bucket.burst - state[1] + ROUNDING, bucket.limit - bucket.used))
  answer[#answer + 1] = math.max(0, left)
  answer[#answer + 1] = math.ceil(full)
  answer[#answer + 1] = math.ceil(bucket.wait)
end
for i, number in ipairs(answer) do
  answer[i] = string.format('%.0f', number)
end
return table.concat(answer, ' ')
