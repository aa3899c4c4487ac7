/**
 * Shows whose code takes a request's time and memory, with V8's sampling profilers over the web handlers of
 * `../effect/apps.js`: `node profile.js <requests>`. Native code, such as a `Map`'s, counts for the code that called it.
 */
import { HttpApp } from "@effect/platform"
import { Layer } from "effect"
import { Session } from "node:inspector/promises"
import * as apps from "../effect/apps.js"
import { answer } from "../harness/answer.js"

const requests = Number(process.argv[2])
const url = "http://localhost/"

const makers = {
  bare: [apps.plain(), Layer.empty],
  requestId: [apps.withRequestId(apps.plain()), Layer.empty],
  untouchedMemory: [apps.withSession(apps.plain()), apps.layerMemory],
  countMemory: [apps.withSession(apps.counting()), apps.layerMemory],
  countCookie100: [apps.withSession(apps.counting100()), apps.layerCookie]
}

const library = process.env.BENCHMARK_LIBRARY ?? "/dist/"

/** Returns undefined for native code and for frames of the harness, which count for their callers. */
const ownerOf = (frame) => {
  const { functionName, url } = frame
  if (functionName === "(garbage collector)") return "gc"
  if (/effect\/dist\/esm\/internal\/(fiberRefs|context)\.js$|effect\/dist\/esm\/(FiberRefs|Context)\.js$/.test(url)) {
    return "maps"
  }
  if (/\/node_modules\/effect\//.test(url)) return "effect"
  if (/\/node_modules\/@effect\/platform\//.test(url)) return "platform"
  if (url.includes(library)) return "session"
  if (url.includes("/benchmark/")) return "app"
  return url.startsWith("node:") ? "node" : undefined
}

const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

const prepare = async (name) => {
  const { handler } = HttpApp.toWebHandlerLayer(...makers[name])
  let cookie = cookieOf(await handler(new Request(url))) || `session=${"A".repeat(43)}`
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const response = await handler(new Request(url, { headers: { "x-request-id": "benchmark", cookie } }))
      cookie = cookieOf(response) || cookie
    }
  }
}

/** Sums the weight of each node by owner. */
const byOwner = (root, childrenOf, weightOf) => {
  const sums = { session: 0, maps: 0, effect: 0, platform: 0, app: 0, node: 0, gc: 0 }
  const walk = (node, above) => {
    const owner = ownerOf(node.callFrame) ?? above
    sums[owner] += weightOf(node)
    for (const child of childrenOf(node)) walk(child, owner)
  }
  walk(root, "node")
  return sums
}

const inspector = new Session()
inspector.connect()

const bytes = async (run) => {
  await inspector.post("HeapProfiler.enable")
  await inspector.post("HeapProfiler.startSampling", {
    samplingInterval: 2048,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true
  })
  await run(requests)
  const { profile } = await inspector.post("HeapProfiler.stopSampling")
  return byOwner(profile.head, (node) => node.children, (node) => node.selfSize / requests)
}

const micros = async (run) => {
  await inspector.post("Profiler.enable")
  await inspector.post("Profiler.setSamplingInterval", { interval: 100 })
  await inspector.post("Profiler.start")
  await run(requests)
  const { profile } = await inspector.post("Profiler.stop")
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const spent = new Map()
  profile.samples.forEach((id, at) => spent.set(id, (spent.get(id) ?? 0) + profile.timeDeltas[at]))
  return byOwner(
    profile.nodes[0],
    (node) => (node.children ?? []).map((id) => nodes.get(id)),
    (node) => node.callFrame.functionName === "(idle)" ? 0 : (spent.get(node.id) ?? 0) / requests
  )
}

const profiles = {}
for (const name of Object.keys(makers)) {
  const run = await prepare(name)
  await run(requests)
  profiles[name] = { bytes: await bytes(run), micros: await micros(run) }
}
answer(profiles)
