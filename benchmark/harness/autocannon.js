/**
 * The same load where wrk is missing: `node autocannon.js <url> <seconds> <connections> <headers>`, cookies as in wrk.lua.
 */
import autocannon from "autocannon"
import { readFileSync } from "node:fs"

const [url, seconds, connections, headers] = process.argv.slice(2)
const file = process.env.BENCHMARK_COOKIES
const cookies = file === undefined ? [undefined] : readFileSync(file, "utf8").trimEnd().split("\n")

const result = await autocannon({
  url,
  duration: Number(seconds),
  connections: Number(connections),
  requests: cookies.map((cookie) => ({
    headers: { ...JSON.parse(headers), ...(cookie === undefined ? {} : { cookie }) }
  }))
})

process.stdout.write(`REPORT ${
  JSON.stringify({
    requests: result.requests.total,
    seconds: result.duration,
    failed: result.non2xx + result.errors + result.timeouts,
    p50Millis: result.latency.p50,
    p99Millis: result.latency.p99
  })
}\n`)
