/**
 * Measures one store in memory, in a process of its own: `node --expose-gc child.js <contestant> <sessions>`.
 *
 * It fills the store, weighs it, adds another tenth of the sessions, and lets one in a hundred expire at once. A pause is the
 * longest time that one turn of the event loop took. The part of the garbage collector is reported apart from it, because the
 * collector is not part of the store (although a store that keeps a million objects gives it more work).
 *
 * `perf_hooks` does not report most of that part: V8 marks in threads of its own, and while one of them has the core, the main thread
 * waits for it, usually for as long as the system lets a thread run (4 ms). Linux tells how long a thread has waited.
 */
import { openSync, readSync } from "node:fs"
import { performance, PerformanceObserver } from "node:perf_hooks"
import { answer } from "../harness/answer.js"
import { contestants } from "./contestants.js"

const [id, count] = [process.argv[2], Number(process.argv[3])]

const day = 24 * 60 * 60 * 1000
const brief = 60 * 60 * 1000

// The clock is set forward to let sessions expire: every store here reads Date.now.
const realNow = Date.now
let offset = 0
Date.now = () => realNow() + offset

const collections = []
new PerformanceObserver((list) => {
  for (const { duration, startTime } of list.getEntries()) collections.push([startTime, startTime + duration])
}).observe({ entryTypes: ["gc"] })

const tick = () => new Promise((resolve) => setImmediate(resolve))
const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

const collectedWithin = (from, to) => {
  let sum = 0
  for (const [start, end] of collections) sum += Math.max(0, Math.min(end, to) - Math.max(start, from))
  return sum
}

const cpuMillis = () => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}

const schedule = (() => {
  try {
    return openSync("/proc/thread-self/schedstat", "r")
  } catch {
    return undefined
  }
})()
const line = Buffer.alloc(100)

/** How long the main thread has waited for a core that another thread had; 0 where the system does not tell. */
const waitedMillis = () =>
  schedule === undefined
    ? 0
    : Number(line.latin1Slice(0, readSync(schedule, line, 0, line.length, 0)).split(" ")[1]) / 1e6

/** The clocks at the beginning of something. */
const begin = () => ({ waited: waitedMillis(), cpu: cpuMillis(), from: performance.now() })

const notable = 0.2
const spells = []

/**
 * Keeps what took long enough to be looked at: `millis` without the time in which another process had the core, and `alone`
 * without that of V8's own threads either.
 */
const end = ({ cpu, from, waited }) => {
  const to = performance.now()
  if (to - from > notable) {
    const millis = Math.min(to - from, cpuMillis() - cpu)
    spells.push({ from, to, millis, alone: Math.min(millis, to - from - (waitedMillis() - waited)) })
  }
  return to - from
}

/** The longest of the spells so far, with and without what was spent collecting garbage. */
const longest = () => {
  let withGc = 0
  let withoutGc = 0
  for (const { alone, from, millis, to } of spells.splice(0)) {
    withGc = Math.max(withGc, millis)
    withoutGc = Math.max(withoutGc, alone - collectedWithin(from, to))
  }
  return { withGc, withoutGc }
}

const weigh = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await sleep(20)
  }
  const { arrayBuffers, external, heapUsed, rss } = process.memoryUsage()
  return { used: heapUsed + external, external, arrayBuffers, rss }
}

const store = await contestants[id].make()

// What the engine compiles and allocates for the first sessions must not count as the weight of a session.
const first = store.add(0, day)
for (let i = 1; i < 2000; i++) store.add(i, day)
const before = await weigh()

let millis = 0
const fill = async (from, to) => {
  for (let i = from; i < to; i++) {
    const began = begin()
    store.add(i, i % 100 === 0 ? brief : day)
    millis += end(began)
    if (i % 256 === 0) await tick()
  }
  await sleep(20)
}

await fill(2000, 2000 + count)
const fillMillis = millis
const after = await weigh()
if (store.prove !== undefined) await store.prove(first, 0)

await fill(2000 + count, 2000 + Math.floor(count * 1.1))
const growth = longest()

let expiry
if (store.expire !== undefined) {
  const expired = Math.ceil((2000 + Math.floor(count * 1.1)) / 100) - 20
  globalThis.gc()
  await sleep(50)
  offset = brief + 1000
  let began = begin()
  const turn = () => {
    end(began)
    began = begin()
  }
  await tick()
  turn()
  store.expire()
  const deadline = performance.now() + 20_000
  do {
    await tick()
    turn()
  } while (store.done !== undefined && !store.done() && performance.now() < deadline)
  await sleep(20)
  if (store.cleaned() < expired) {
    throw new Error(`${id}: expected ${expired} expired sessions to be removed, but ${store.cleaned()} are`)
  }
  expiry = { expired, ...longest() }
}

const result = {
  bytesPerSession: (after.used - before.used) / count,
  rssPerSession: (after.rss - before.rss) / count,
  outsideHeapPerSession: (after.external - before.external) / count,
  fillMicros: fillMillis * 1000 / count,
  growth,
  expiry
}
await store.stop?.()
answer(result)
