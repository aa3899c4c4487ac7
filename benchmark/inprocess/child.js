/**
 * Measures the web handlers of one process in turns so short that a slow moment hits all of them alike:
 * `node child.js time <warm> <cycles> <batch>` or `allocate …` (with --expose-gc and a large young generation).
 */
import { HttpApp } from "@effect/platform"
import { Layer } from "effect"
import { PerformanceObserver } from "node:perf_hooks"
import * as apps from "../effect/apps.js"
import * as floors from "../effect/floors.js"
import { answer } from "../harness/answer.js"
import { median } from "../harness/statistics.js"

const [mode, warm, cycles, batch] = process.argv.slice(2).map((value, at) => at === 0 ? value : Number(value))

const url = "http://localhost/"

const one = apps.withNoop("One")
const two = apps.withNoop("Two")

const makers = {
  bare: [apps.plain(), Layer.empty],
  noop: [one(apps.plain()), Layer.empty],
  noopTwice: [two(one(apps.plain())), Layer.empty],
  requestId: [apps.withRequestId(apps.plain()), Layer.empty],
  untouchedMemory: [apps.withSession(apps.plain()), apps.layerMemory],
  untouchedCookie: [apps.withSession(apps.plain()), apps.layerCookie],
  countMemory: [apps.withSession(apps.counting()), apps.layerMemory],
  countCookie: [apps.withSession(apps.counting()), apps.layerCookie],
  countCookie100: [apps.withSession(apps.counting100()), apps.layerCookie],
  countMemoryIdiomatic: [floors.withMemory(floors.counting()), Layer.empty],
  countMemoryLeast: [floors.leastMemory(), Layer.empty],
  countCookieIdiomatic: [floors.withCookie(floors.counting()), Layer.empty],
  countCookieLeast: [floors.leastCookie(), Layer.empty],
  readMemory: [apps.withSession(apps.reading()), apps.layerMemory],
  readCookie: [apps.withSession(apps.reading()), apps.layerCookie]
}

const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

/** A handler and the headers of its requests. A handler that counts has to prove it first. */
const prepare = async (name, [app, layer]) => {
  const { handler } = HttpApp.toWebHandlerLayer(app, layer)
  const base = { "x-request-id": "benchmark" }
  const first = await handler(new Request(url, { headers: base }))
  if (first.status !== 200) throw new Error(`${name}: the first request was answered with ${first.status}`)
  // A cookie that would have to be opened if the handler touched the session.
  let cookie = cookieOf(first) || `session=${"A".repeat(43)}`
  if (!name.startsWith("count")) return { name, handler, headers: { ...base, cookie } }
  for (let visit = 2; visit <= 4; visit++) {
    const response = await handler(new Request(url, { headers: { ...base, cookie } }))
    const body = await response.text()
    if (body !== String(visit)) {
      throw new Error(`${name}: expected the count ${visit}, but the answer was ${response.status} ${body}`)
    }
    cookie = cookieOf(response) || cookie
  }
  return { name, handler, headers: { ...base, cookie } }
}

const requests = (variant, count) => Array.from({ length: count }, () => new Request(url, { headers: variant.headers }))

const serve = async (variant, list) => {
  for (const request of list) await variant.handler(request)
}

const time = async (variant) => {
  const list = requests(variant, batch)
  const start = process.hrtime.bigint()
  await serve(variant, list)
  return Number(process.hrtime.bigint() - start) / 1000 / batch
}

let collections = 0
new PerformanceObserver((list) => (collections += list.getEntries().length)).observe({ entryTypes: ["gc"] })
const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

/** Bytes per request, or undefined when garbage was collected during the batch. */
const allocate = async (variant) => {
  const list = requests(variant, batch)
  globalThis.gc()
  await settle()
  collections = 0
  const before = process.memoryUsage()
  await serve(variant, list)
  const after = process.memoryUsage()
  await settle()
  if (collections > 0) return undefined
  return (after.heapUsed - before.heapUsed) / batch
}

const variants = await Promise.all(Object.entries(makers).map(([name, maker]) => prepare(name, maker)))
for (const variant of variants) await serve(variant, requests(variant, warm))

const samples = Object.fromEntries(variants.map(({ name }) => [name, []]))
for (let cycle = 0; cycle < cycles; cycle++) {
  const start = cycle % variants.length
  for (const variant of [...variants.slice(start), ...variants.slice(0, start)]) {
    samples[variant.name].push(await (mode === "time" ? time : allocate)(variant))
  }
}

// The difference to the bare app in the same cycle, and the median of these differences.
const minus = (name, base) =>
  median(
    samples[name].map((value, cycle) => value - samples[base][cycle]).filter((value) => !Number.isNaN(value))
  )

answer({
  bare: median(samples.bare.filter((value) => value !== undefined)),
  overhead: Object.fromEntries(Object.keys(samples).map((name) => [name, minus(name, "bare")]))
})
