-- Asks for the paths of a file one after the other, each thread from another place on, and prints the outcome as JSON.
-- wrk -s wrk.lua URL -- FILE

local threads = {}
local requests, position = {}, 0

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(args)
   for path in io.lines(args[1]) do
      table.insert(requests, wrk.format("GET", path))
   end
   position = math.floor(number * #requests / 2)
end

function request()
   position = position % #requests + 1
   return requests[position]
end

function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"seconds":%.6f,"bytes":%d,"bad_status":%d,"broken":%d,"timeouts":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f}\n',
      summary.requests, summary.duration / 1e6, summary.bytes, errors.status,
      errors.connect + errors.read + errors.write, errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
