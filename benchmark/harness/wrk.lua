-- Sends the cookies of the file named by BENCHMARK_COOKIES in turn, one a request, and reports exact numbers.
local requests = {}
local at = 0

init = function()
  io.stderr:write("ready\n")
  local file = os.getenv("BENCHMARK_COOKIES")
  if file == nil then
    requests[1] = wrk.format()
    return
  end
  for line in io.lines(file) do
    wrk.headers["cookie"] = line
    requests[#requests + 1] = wrk.format()
  end
end

request = function()
  at = at % #requests + 1
  return requests[at]
end

done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'REPORT {"requests":%d,"seconds":%.6f,"failed":%d,"p50Millis":%.4f,"p99Millis":%.4f}\n',
    summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3
  ))
end
