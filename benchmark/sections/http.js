/**
 * The overhead of the session layer per HTTP request (P7, P10): what a framework takes with it minus what the same framework
 * takes without it, while every request adds one to a counter. One server runs at a time, in a process of its own on one core;
 * the load comes from the other. All run on one version of Node.js, on which both editions of the library run where that can
 * be had.
 */
import { makeBrowser } from "../harness/browser.js"
import { startChild } from "../harness/child.js"
import { pinned, serverCore } from "../harness/cores.js"
import { edition4 } from "../harness/edition4.js"
import { interleave } from "../harness/interleave.js"
import { browserCount, startLoad } from "../harness/load.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { difference, ratio, summary } from "../harness/statistics.js"
import { bare, contestants } from "../http/contestants.js"

const start = async (contestant, { environment, node, place }) => {
  const { env = {}, folder } = contestant.effect === 4 ? place : {}
  const child = startChild({
    core: serverCore,
    node: node.binary,
    folder,
    script: "http/serve.js",
    args: [contestant.module, contestant.variant],
    env: { ...environment, ...env }
  })
  const { port } = await child.receive()
  return { ...child, url: `http://127.0.0.1:${port}/` }
}

const keepsSession = (contestant) => contestant.variant !== "bare" && contestant.holds !== "nothing"

const headers = { "x-request-id": "benchmark" }

/** Visits the server with every browser in turn, by `fetch`; each must see its own counter. Returns their new states. */
const visitInTurn = async (states, url) => {
  const after = []
  for (const state of states) {
    const browser = makeBrowser(state)
    await browser.visit(url, headers)
    after.push(browser.state())
  }
  return after
}

/** Returns browsers that have visited the server in turn and have each seen their own counter go 1, 2, 3. */
const prove = async (contestant, url) => {
  if (!keepsSession(contestant)) {
    const { setCookies } = await makeBrowser().visit(url, headers)
    if (setCookies !== 0) throw new Error("a server without sessions sets a cookie")
    return Array.from({ length: browserCount }, () => ({ cookies: [] }))
  }
  let browsers = Array.from({ length: browserCount }, () => ({ cookies: [], visits: 0 }))
  for (let visit = 1; visit <= 3; visit++) browsers = await visitInTurn(browsers, url)
  return browsers
}

/** Starts a server, lets it prove that it counts, and warms it up. */
const prepare = async (contestant, settings) => {
  const { load, warmRequests, warmSeconds } = settings
  const server = await start(contestant, settings)
  try {
    let browsers = await prove(contestant, server.url)
    /** Every answer under load must count; afterwards another client checks each counter once more. */
    const measure = async (seconds) => {
      const before = await server.ask("usage")
      const loaded = await load({ url: server.url, headers, browsers, seconds })
      const after = await server.ask("usage")
      browsers = keepsSession(contestant) ? await visitInTurn(loaded.browsers, server.url) : loaded.browsers
      return {
        requests: loaded.requests,
        cpuMicros: (after.cpuMicros - before.cpuMicros) / loaded.requests,
        requestsPerSecond: loaded.requests / loaded.seconds,
        residentMiB: after.residentBytes / 2 ** 20,
        p99Millis: loaded.p99Millis,
        loadMicros: loaded.loadMicros
      }
    }
    // Until the engine has optimised what it will, or for as long as this may take.
    const limit = Date.now() + 5000 * warmSeconds
    for (let warmed = 0; warmed < warmRequests && Date.now() < limit;) warmed += (await measure(warmSeconds)).requests
    return { measure, stop: server.stop }
  } catch (error) {
    await server.stop()
    throw error
  }
}

const named = (contestant, work) =>
  work.catch((error) => {
    throw new Error(`${contestant.id}: ${error.message}`, { cause: error })
  })

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
