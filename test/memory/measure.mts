/**
 * Octets a session and the longest pause of the Memory backend at a million sessions (not part of the test run):
 *
 *     node --expose-gc --import tsx test/memory/measure.mts [sessions]
 *
 * A pause is the longest that one call took, garbage collection inside it included; calls of `find` between them show what
 * other requests would have felt.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { PerformanceObserver } from "node:perf_hooks"
import { make } from "../../src/internal/memory/backend.js"
import type { Data, NewSession } from "../../src/SessionBackend.js"

const count = Number(process.argv[2] ?? 1_000_000)
const collect = globalThis.gc
if (collect === undefined) throw new Error("run with node --expose-gc")

const memory = () => {
  collect()
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const gcPauses: Array<{ readonly at: string; readonly kind: number; readonly ms: number }> = []
let phase = ""
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    gcPauses.push({
      at: phase,
      kind: (entry as unknown as { detail: { kind: number } }).detail.kind,
      ms: entry.duration
    })
  }
}).observe({ entryTypes: ["gc"] })

const idOf = (n: number): string => createHash("sha256").update(`session ${n}`).digest("base64url")
const hour = 3_600_000
const start = 1_700_000_000_000

const session = (n: number, now: number): NewSession => {
  const text = JSON.stringify({ id: n, pad: "x".repeat(80) }).slice(0, 78) + "\"}"
  const data: Data = new Map([["user", text]])
  return {
    createdAt: now,
    refreshedAt: now,
    expiresAt: now + (n % 100 === 0 ? 60_000 : hour),
    idleMillis: hour,
    persistent: true,
    own: false,
    data,
    owner: undefined
  }
}

/** Milliseconds that this thread was ready to run and had no processor: what other programs cost, not the store. */
const waited = (): number => {
  try {
    return Number(readFileSync("/proc/self/schedstat", "latin1").split(" ")[1]) / 1e6
  } catch {
    return 0 // not Linux: every call counts as undisturbed
  }
}

interface Timed {
  count: number
  total: number
  longest: number
  undisturbed: number
}
const timed: Record<string, Timed> = {}
let waitedBefore = 0
let sinceWaited = 0
const time = (name: string, f: () => void): void => {
  if (++sinceWaited > 50) {
    sinceWaited = 0
    waitedBefore = waited()
  }
  const from = performance.now()
  f()
  const took = performance.now() - from
  const entry = timed[name] ??= { count: 0, total: 0, longest: 0, undisturbed: 0 }
  entry.count++
  entry.total += took
  if (took > entry.longest) entry.longest = took
  if (took > entry.undisturbed) {
    const now = waited()
    if (now - waitedBefore < 0.1) entry.undisturbed = took
    waitedBefore = now
  }
}

/** Lets timers and the observer run, as requests would. */
const breathe = (n: number) => n % 1000 === 999 ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined

const before = memory()
const store = make({ maxSessions: count, maxBytes: 2 ** 40 })

phase = "growth"
for (let n = 0; n < count; n++) {
  const id = idOf(n)
  const value = session(n, start + n / 100)
  time("insert while growing", () => store.backend.insert(id, value, start + n / 100))
  const wait = breathe(n)
  if (wait) await wait
}
phase = ""
const after = memory()
console.log(`${count} sessions with 80 B of JSON: ${((after - before) / count).toFixed(1)} B a session`)
console.log(`the store's own count: ${(store.stats.bytes() / count).toFixed(1)} B a session`)

phase = "use"
let now = start + count / 100
for (let n = 0; n < 300_000; n++) {
  const id = idOf((n * 7919) % count)
  time("find", () => store.backend.find(id, now))
  const patch = {
    clear: false,
    set: new Map([["count", String(n)]]),
    remove: new Set<string>(),
    expiry: undefined,
    maxBytes: 262_144
  }
  time("update", () => store.backend.update(id, patch, now))
  const wait = breathe(n)
  if (wait) await wait
}

phase = "expiry"
now += 60_000
const removeStep = (name: string): number => {
  let removed = 0
  time(name, () => {
    removed = Effect.runSync(store.backend.removeExpired(now, 100))
  })
  return removed
}
let removed = 0
for (;;) {
  const step = removeStep("removeExpired in steps of 100")
  if (step === 0) break
  removed += step
  await new Promise<void>((resolve) => setImmediate(resolve))
}
console.log(`expired: ${removed}`)

phase = "eviction"
for (let n = 0; n < 300_000; n++) {
  const id = idOf(count + n)
  const value = session(n, now)
  time("insert while full", () => store.backend.insert(id, value, now))
  const wait = breathe(n)
  if (wait) await wait
}
console.log(`evicted: ${store.stats.evicted()}, sessions: ${store.stats.sessions()}`)

phase = "everything expired"
now += 400 * 24 * hour
while (removeStep("removeExpired of all in steps of 100") > 0);

await new Promise((resolve) => setTimeout(resolve, 100))
console.table(Object.fromEntries(
  Object.entries(timed).map(([name, { count, longest, total, undisturbed }]) => [name, {
    calls: count,
    "µs a call": Number((total / count * 1000).toFixed(2)),
    "longest ms": Number(longest.toFixed(2)),
    "longest ms while not preempted": Number(undisturbed.toFixed(2))
  }])
))
const inPhases = gcPauses.filter(({ at }) => at !== "")
const slowest = inPhases.sort((a, b) => b.ms - a.ms).slice(0, 5)
console.log(`garbage collections: ${inPhases.length}, longest:`)
for (const { at, kind, ms } of slowest) console.log(`  ${ms.toFixed(2)} ms, kind ${kind}, during ${at}`)
