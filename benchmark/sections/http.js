/**
 * The overhead of the session layer per HTTP request (P7, P10): what a framework takes with it minus what the same framework
 * takes without it, while every request adds one to a counter. One server runs at a time, in a process of its own on one core;
 * the load comes from the other. All run on one version of Node.js, on which both editions of the library run where that can
 * be had.
 */
import { pinned } from "../harness/cores.js"
import { edition4 } from "../harness/edition4.js"
import { interleave } from "../harness/interleave.js"
import { browserCount, startLoad } from "../harness/load.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { difference, ratio, summary } from "../harness/statistics.js"
import { bare, contestants } from "../http/contestants.js"
import { named, prepare } from "../http/server.js"

const withFreshServer = (settings) => {
  const run = (contestant) =>
    named(
      contestant,
      prepare(contestant, settings).then(({ measure, stop }) => measure(settings.seconds).finally(stop))
    )
  return { run, stop: () => Promise.resolve() }
}

const withKeptServers = (settings) => {
  const kept = new Map()
  const measure = async (contestant) => {
    if (!kept.has(contestant.id)) kept.set(contestant.id, await prepare(contestant, settings))
    return await kept.get(contestant.id).measure(settings.seconds)
  }
  return {
    run: (contestant) => named(contestant, measure(contestant)),
    stop: () => Promise.all([...kept.values()].map(({ stop }) => stop()))
  }
}

const peers = contestants.filter((contestant) => !contestant.ours)

export const run = async (context) => {
  const { log, quick, skipped } = context
  const environment = context.redis === undefined ? {} : { BENCHMARK_REDIS_URL: context.redis.url }
  const { load, stop: stopLoad } = startLoad()
  // A full run starts a new process for each measurement, because V8 optimises differently from start to start.
  const node = quick ? current : nodeOf(longTerm, skipped) ?? current
  const place = quick ? undefined : edition4(skipped)
  const settings = quick
    ? { rounds: 3, seconds: 0.5, warmSeconds: 0.5, warmRequests: 3000, environment, load, node, place }
    : { rounds: context.rounds, seconds: 2, warmSeconds: 1, warmRequests: 15_000, environment, load, node, place }

  const takePart = contestants.filter((contestant) => {
    if (contestant.effect === 4 && place === undefined) return false
    if (contestant.holds !== "redis" || context.redis !== undefined) return true
    skipped.push({ what: contestant.label, reason: "redis-server is not installed" })
    return false
  })
  const frameworks = bare.filter(({ framework }) => takePart.some((contestant) => contestant.framework === framework))
  // Each framework's bare server is measured next to its contestants, so that a slow moment hits both.
  const order = frameworks.flatMap((framework) => [
    framework,
    ...takePart.filter((contestant) => contestant.framework === framework.framework)
  ])

  const servers = quick ? withKeptServers(settings) : withFreshServer(settings)
  const measured = await interleave(
    order,
    settings.rounds,
    servers.run,
    (round, of) => log(`http: round ${round} of ${of}`)
  ).finally(() => Promise.all([servers.stop(), stopLoad()]))

  const column = (id, name) => measured.get(id).map((sample) => sample[name])
  const overheads = new Map(
    takePart.map((contestant) => [
      contestant.id,
      column(contestant.id, "cpuMicros").map((micros, round) =>
        micros - column(contestant.framework, "cpuMicros")[round]
      )
    ])
  )
  const row = (contestant) => ({
    id: contestant.id,
    label: contestant.label,
    framework: contestant.framework,
    holds: contestant.holds,
    effect: contestant.effect,
    ours: contestant.ours,
    cpuMicros: summary(column(contestant.id, "cpuMicros")),
    requestsPerSecond: summary(column(contestant.id, "requestsPerSecond")),
    p99Millis: summary(column(contestant.id, "p99Millis")),
    residentMiB: summary(column(contestant.id, "residentMiB")),
    overheadMicros: difference(column(contestant.id, "cpuMicros"), column(contestant.framework, "cpuMicros")),
    wallOverheadMicros: difference(
      column(contestant.id, "requestsPerSecond").map((perSecond) => 1e6 / perSecond),
      column(contestant.framework, "requestsPerSecond").map((perSecond) => 1e6 / perSecond)
    )
  })
  const rows = takePart.map(row)
  const against = (id, other) =>
    overheads.has(id) && overheads.has(other) ? ratio(overheads.get(id), overheads.get(other)) : undefined
  /** A whole request of ours relative to a whole one of theirs. */
  const whole = (id, other) =>
    overheads.has(id) && overheads.has(other) ? ratio(column(id, "cpuMicros"), column(other, "cpuMicros")) : undefined
  const bestMemoryPeer = rows.filter((each) => each.effect === undefined && each.holds === "memory")
    .sort((a, b) => a.overheadMicros.median - b.overheadMicros.median)[0].id

  return {
    rounds: settings.rounds,
    node: node.version,
    seconds: settings.seconds,
    load: `${browserCount} browsers, each with a connection and a cookie jar of its own and one request at a time`,
    loadMicros: summary([...measured.values()].flat().map((sample) => sample.loadMicros)),
    pinned,
    freshProcessPerMeasurement: !quick,
    bare: frameworks.map(({ id }) => ({
      id,
      cpuMicros: summary(column(id, "cpuMicros")),
      requestsPerSecond: summary(column(id, "requestsPerSecond"))
    })),
    rows,
    ratios: Object.fromEntries(
      [3, 4].filter((effect) => overheads.has(`effect${effect}/memory`)).map((effect) => {
        const id = (variant) => `effect${effect}/${variant}`
        return [effect, {
          cookieToFloor: against(id("cookie"), id("floorCookie")),
          memoryToFloor: against(id("memory"), id("floorMemory")),
          redisToFloor: against(id("redis"), id("leastRedis")),
          redisToConnectRedis: against(id("redis"), "express/redis"),
          nodeRedisToConnectRedis: against(id("nodeRedis"), "express/redis"),
          wholeMemoryToHono: whole(id("memory"), "hono/memory"),
          wholeCookieToFastify: whole(id("cookie"), "fastify/sealedCookie"),
          wholeCookieToIronSession: whole(id("cookie"), "node:http/ironSession"),
          wholeMemoryToExpressSession: whole(id("memory"), "express/memory")
        }]
      })
    ),
    bestMemoryPeer,
    toPeers: Object.fromEntries(
      takePart.filter((contestant) => contestant.ours).map((contestant) => [
        contestant.id,
        Object.fromEntries(
          peers.filter((peer) => overheads.has(peer.id)).map((
            peer
          ) => [peer.id, against(contestant.id, peer.id).median])
        )
      ])
    )
  }
}
