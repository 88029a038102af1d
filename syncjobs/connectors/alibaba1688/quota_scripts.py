"""What Redis does for the call gate, each in one atomic round trip. Only Redis' own clock counts; days are China's.

The ledger of a day is a hash: `total`; `claimed` and `claimed_at`, up to where and when somebody was told to write it
through; `written`, up to where somebody has; and by API `c:` calls, `r:` calls that the platform refused, `u:` when it
said that all calls are used up.

The turns of the jobs are a hash as well: by job `<tag> <first> <last> <waiting> <weight>`. `tag` is the job's virtual
time (start-time fair queueing: Goyal, Vin, Cheng 1996): each call moves it on by 1 / weight, the smallest one calls
next. `first` and `last` say when those who wait come back, `waiting` how many they are. The field `now` is the virtual
time of the whole. Who asks for nothing has no claim, so no call is lost to fairness; who dies while it waits is
forgotten when it does not come back.
"""

TAKEN, TOO_LONG, USED_UP, UNKNOWN = 0, 1, 2, 3

# KEYS: next free moment, ledger prefix, pause, turns.
# ARGV: microseconds between calls, calls a day (0 = no limit), longest wait, API, job, weight, whether it has waited,
# calls written through at once, microseconds after which they are written anyway.
# Answers {verdict, microseconds, day to write through or 0}: the microseconds are 0 = call now, otherwise ask again
# then; with TOO_LONG how long it would take, with USED_UP and UNKNOWN the time by Redis' clock.
TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local day = math.floor((clock[1] + 28800) / 86400)
local ledger = KEYS[2] .. day
local interval, limit, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local me, weight, waited = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local SLACK, GRACE, LONGEST, CREDIT = 2000, 60000, 1000000, 5000

local book = redis.call('HMGET', ledger, 'total', 'claimed', 'claimed_at')
if not book[1] then return {3, now, 0} end
local total = tonumber(book[1])

local virtual, heaviness = 0, weight
local mine, rivals = {tag = 0, first = 0, last = 0, waiting = 0}, {}
local turns = redis.call('HGETALL', KEYS[4])
for i = 1, #turns, 2 do
  if turns[i] == 'now' then
    virtual = tonumber(turns[i + 1])
  else
    local tag, first, last, waiting, heavy = string.match(turns[i + 1], '(%S+) (%S+) (%S+) (%S+) (%S+)')
    local job = {tag = tonumber(tag), first = tonumber(first), last = tonumber(last), waiting = tonumber(waiting)}
    if job.last + GRACE < now then job.waiting = 0 end
    if turns[i] == me then
      mine = job
    elseif job.waiting > 0 then
      rivals[#rivals + 1] = job
      heaviness = heaviness + tonumber(heavy)
    elseif job.last + 5000000 < now then
      redis.call('HDEL', KEYS[4], turns[i])
    end
  end
end
if mine.waiting == 0 then mine.tag = math.max(mine.tag, virtual) end
if waited == 1 and now + SLACK >= mine.first then
  mine.first = mine.first + math.max(0, mine.last - mine.first) / math.max(1, mine.waiting - 1)
end

local function remember()
  local said = string.format('%.6f %.0f %.0f %d %d', mine.tag, mine.first, mine.last, mine.waiting, weight)
  redis.call('HSET', KEYS[4], me, said)
  redis.call('PEXPIRE', KEYS[4], 10000)
end
local function leave(verdict, microseconds)
  mine.waiting = math.max(0, mine.waiting - waited)
  remember()
  return {verdict, microseconds, 0}
end

if limit > 0 and total >= limit then return leave(2, now) end
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
local at = math.max(now, before, tonumber(redis.call('GET', KEYS[3]) or 0))
if at - now > patience then return leave(1, at - now) end

local better = 0
for _, rival in ipairs(rivals) do
  local is_due = rival.first <= at + SLACK and rival.first + GRACE >= now
  if rival.tag < mine.tag and is_due then better = better + 1 end
end
if at > now or better > 0 then
  local back = now + math.min(interval, 6000)
  if at > now then back = at + interval * better end
  local others = mine.waiting - waited
  if others > 0 and mine.last >= now then
    local apart = interval * heaviness / weight
    local behind = math.min(mine.last + apart, at + apart * others)
    if behind - at > LONGEST then behind = at + LONGEST * (now % 1000) / 1000 end
    back = math.max(back, behind)
  end
  if back - now > patience then return leave(1, back - now) end
  mine.waiting = math.max(mine.waiting + 1 - waited, 1)
  if others <= 0 then mine.first = back else mine.first = math.min(mine.first, back) end
  if others > 0 then mine.last = math.max(mine.last, back) else mine.last = back end
  remember()
  return {0, math.max(back - now, 500), 0}
end

local step = math.max(before, now - CREDIT) + interval
redis.call('SET', KEYS[1], string.format('%.0f', step), 'PX', math.ceil((step - now) / 1000) + 1000)
redis.call('HSET', KEYS[4], 'now', string.format('%.6f', mine.tag))
mine.tag = mine.tag + 1 / weight
mine.waiting = math.max(0, mine.waiting - waited)
if mine.waiting == 0 then mine.last = now end
remember()
redis.call('HINCRBY', ledger, 'total', 1)
redis.call('HINCRBY', ledger, 'c:' .. ARGV[4], 1)
if total + 1 - tonumber(book[2]) < tonumber(ARGV[8]) and now - tonumber(book[3]) < tonumber(ARGV[9]) then
  return {0, 0, 0}
end
redis.call('HSET', ledger, 'claimed', total + 1, 'claimed_at', string.format('%.0f', now))
return {0, 0, day}
"""

# Begins the ledger of a day that Redis does not know, unless somebody else has. The last call may have been made just
# before Redis lost everything, so the next one waits as long as after any other.
# KEYS: next free moment, ledger. ARGV: microseconds between calls, seconds a ledger lives, then names and numbers.
BEGIN = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local total = 0
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  if string.sub(ARGV[i], 1, 2) == 'c:' then total = total + tonumber(ARGV[i + 1]) end
end
redis.call('HSET', KEYS[2], 'total', total, 'claimed', total, 'claimed_at', 0)
redis.call('EXPIRE', KEYS[2], ARGV[2])
local step = math.max(now + tonumber(ARGV[1]), tonumber(redis.call('GET', KEYS[1]) or 0))
redis.call('SET', KEYS[1], string.format('%.0f', step), 'PX', math.ceil((step - now) / 1000) + 1000)
return 1
"""

# Takes over what others know better: a Redis that came back with older numbers. KEYS: ledger. ARGV: names and numbers.
RAISE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local missing = 0
for i = 1, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0)
  if tonumber(ARGV[i + 1]) > known then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    if string.sub(ARGV[i], 1, 2) == 'c:' then missing = missing + tonumber(ARGV[i + 1]) - known end
  end
end
redis.call('HINCRBY', KEYS[1], 'total', missing)
return missing
"""

# Notes that the platform refused a call. KEYS: ledger prefix. ARGV: API, 1 when it said that all calls are used up.
# Answers the day.
REFUSED = """
local clock = redis.call('TIME')
local day = math.floor((clock[1] + 28800) / 86400)
local ledger = KEYS[1] .. day
if redis.call('EXISTS', ledger) == 0 then return day end
redis.call('HINCRBY', ledger, 'r:' .. ARGV[1], 1)
if ARGV[2] == '1' then redis.call('HSET', ledger, 'u:' .. ARGV[1], clock[1]) end
return day
"""

# Lengthens the pause, never shortens it. KEYS: pause. ARGV: microseconds.
PAUSE = """
local clock = redis.call('TIME')
local until_ = clock[1] * 1000000 + clock[2] + ARGV[1]
if until_ > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%.0f', until_), 'PX', math.ceil(ARGV[1] / 1000) + 1)
end
"""
