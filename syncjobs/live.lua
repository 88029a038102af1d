-- Live status in Redis: number, keep and publish events of a job's stream and of the stream of all jobs.
-- ARGV: command, key base, events kept, seconds kept, milliseconds between two progress events of a job, operands...
local command, base = ARGV[1], ARGV[2]
local kept_events, kept_seconds, interval = tonumber(ARGV[3]), ARGV[4], ARGV[5]

-- Numbers begin at the clock's milliseconds: after a loss of all data they go on higher than they ever were.
local function counter(stream)
  local key = base .. stream .. ':seq'
  if redis.call('EXISTS', key) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', key, string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
    redis.call('DEL', base .. stream .. ':events')
  end
  redis.call('EXPIRE', key, kept_seconds)
  return key
end

local function append(stream, kind, data)
  local seq = string.format('%.0f', redis.call('INCR', counter(stream)))
  local event = seq .. ' {"type":"' .. kind .. '","seq":' .. seq .. ',"data":' .. data .. '}'
  local events = base .. stream .. ':events'
  redis.call('RPUSH', events, event)
  redis.call('LTRIM', events, -kept_events, -1)
  redis.call('EXPIRE', events, kept_seconds)
  redis.call('PUBLISH', base .. stream, event)
end

local function send(job, kind, data)
  append('job:' .. job, kind, data)
  append('all', kind, data)
end

local function gate_opens(job)
  return redis.call('SET', base .. 'job:' .. job .. ':gate', 1, 'NX', 'PX', interval)
end

local held_back = base .. 'held-back'

if command == 'publish' then
  local job, kind, data = ARGV[6], ARGV[7], ARGV[8]
  if kind == 'progress' and not gate_opens(job) then
    redis.call('HSET', held_back, job, data)
    redis.call('EXPIRE', held_back, kept_seconds)
    return 0
  end
  if kind ~= 'log' then
    redis.call('HDEL', held_back, job)
  end
  send(job, kind, data)
  return 1
end

if command == 'flush' then
  local waiting = redis.call('HGETALL', held_back)
  for i = 1, #waiting, 2 do
    if gate_opens(waiting[i]) then
      redis.call('HDEL', held_back, waiting[i])
      send(waiting[i], 'progress', waiting[i + 1])
    end
  end
  return #waiting / 2
end

if command == 'seq' then
  return redis.call('GET', counter(ARGV[6]))
end

if command == 'since' then
  local stream, since = ARGV[6], tonumber(ARGV[7])
  local missing = tonumber(redis.call('GET', counter(stream))) - since
  local events = base .. stream .. ':events'
  if missing < 0 or missing > redis.call('LLEN', events) then
    return false
  end
  return missing == 0 and {} or redis.call('LRANGE', events, -missing, -1)
end

return redis.error_reply('unknown command')
