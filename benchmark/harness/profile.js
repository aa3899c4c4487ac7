/**
 * Whose code takes the time and the memory, according to V8's sampling profilers. Native code, such as a `Map`'s, counts for
 * the code that called it.
 */
import { Session } from "node:inspector/promises"
import * as library from "./library.js"

/** The first that fits; undefined for native code, which counts for its callers. */
const ownerOf = ({ functionName, url }) => {
  if (functionName === "(garbage collector)") return "gc"
  if (url.includes(library.folder)) return "session"
  if (/\/node_modules\/effect\/dist\/esm\/(internal\/)?(fiberRefs|context|FiberRefs|Context)\.js$/.test(url)) {
    return "maps"
  }
  if (/\/node_modules\/(@effect\/|effect\/dist\/unstable\/)/.test(url)) return "platform"
  if (/\/node_modules\/effect\//.test(url)) return "effect"
  if (/\/node_modules\/(ioredis|redis|@redis|@ioredis|pg|pg-\w+|better-sqlite3|bindings)\//.test(url)) return "driver"
  if (url.includes("/node_modules/")) return "peer"
  if (url.includes("/benchmark/")) return "app"
  return url.startsWith("node:") ? "node" : undefined
}

/** Sums the weight of each node by owner. */
const byOwner = (root, childrenOf, weightOf) => {
  const sums = { session: 0, maps: 0, effect: 0, platform: 0, driver: 0, peer: 0, app: 0, node: 0, gc: 0 }
  const walk = (node, above) => {
    const owner = ownerOf(node.callFrame) ?? above
    sums[owner] += weightOf(node)
    for (const child of childrenOf(node)) walk(child, owner)
  }
  walk(root, "node")
  return sums
}

const inspector = new Session()

/** Bytes that `run` allocates, by owner. */
export const allocated = async (run) => {
  inspector.connect()
  await inspector.post("HeapProfiler.enable")
  await inspector.post("HeapProfiler.startSampling", {
    samplingInterval: 2048,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true
  })
  await run()
  const { profile } = await inspector.post("HeapProfiler.stopSampling")
  inspector.disconnect()
  return byOwner(profile.head, (node) => node.children, (node) => node.selfSize)
}

/** Begins to count time. The function that it returns ends that and answers the microseconds by owner, without idle time. */
export const startTiming = async () => {
  inspector.connect()
  await inspector.post("Profiler.enable")
  // Enough for shares of a second and more; many more samples would take time themselves.
  await inspector.post("Profiler.setSamplingInterval", { interval: 1000 })
  await inspector.post("Profiler.start")
  return async () => {
    const { profile } = await inspector.post("Profiler.stop")
    inspector.disconnect()
    const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
    const spent = new Map()
    profile.samples.forEach((id, at) => spent.set(id, (spent.get(id) ?? 0) + profile.timeDeltas[at]))
    return byOwner(
      profile.nodes[0],
      (node) => (node.children ?? []).map((id) => nodes.get(id)),
      (node) => node.callFrame.functionName === "(idle)" ? 0 : spent.get(node.id) ?? 0
    )
  }
}

/** Each divided by how often what was measured ran. */
export const each = (sums, count) =>
  Object.fromEntries(Object.entries(sums).map(([owner, sum]) => [owner, sum / count]))
