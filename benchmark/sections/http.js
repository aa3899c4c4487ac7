/**
 * Overhead of the session layer per HTTP request: the same framework with it, minus without it, `count++` in every request
 * (P2, P3). One server at a time, in a process of its own on one core; the load comes from the other.
 */
import { startChild } from "../harness/child.js"
import { pinned, serverCore } from "../harness/cores.js"
import { interleave } from "../harness/interleave.js"
import { makeJar } from "../harness/jar.js"
import { connections, generator, load } from "../harness/load.js"
import { difference, ratio, summary } from "../harness/statistics.js"
import { bare, contestants } from "../http/contestants.js"

const start = async (contestant, environment) => {
  const child = startChild({
    core: serverCore,
    script: "http/serve.js",
    args: [contestant.module, contestant.variant],
    env: environment
  })
  const { port } = await child.receive()
  return { ...child, url: `http://127.0.0.1:${port}/` }
}

const keepsSession = (contestant) => contestant.variant !== "bare" && contestant.holds !== "nothing"

const expectCount = (contestant, who, expected, answer) => {
  if (answer.status === 200 && answer.body === String(expected)) return
  throw new Error(`${contestant.id}: ${who} expected the count ${expected}, got ${answer.status} ${answer.body}`)
}

const visits = 3

/** On a server more sessions than connections: requests of one session then hardly ever overlap, as with real visitors. */
const sessions = (contestant) => contestant.holds.endsWith("cookie") ? 4 : 2 * connections

/**
 * Counts with many browsers, alternately: each must see its own counter go 1, 2, 3. Answers what the load sends: cookies of
 * sessions that count, and the count they stand at.
 */
const prove = async (contestant, url) => {
  const headers = { "x-request-id": "benchmark" }
  if (!keepsSession(contestant)) {
    const answer = await makeJar().get(url)
    if (answer.status !== 200 || answer.setCookies !== 0) {
      throw new Error(`${contestant.id}: a bare server sets a cookie`)
    }
    return { url, headers, cookies: [], loaded: 0 }
  }
  const jars = Array.from({ length: sessions(contestant) }, makeJar)
  for (let visit = 1; visit <= visits; visit++) {
    for (const [index, jar] of jars.entries()) {
      expectCount(contestant, `browser ${index + 1}`, visit, await jar.get(url))
    }
  }
  const cookies = jars.map((jar) => jar.header())
  return { url, headers, cookies, loaded: 0 }
}

const loadProven = async (proof, seconds, atOnce = connections) => {
  const result = await load(proof.url, seconds, { ...proof, atOnce })
  proof.loaded += result.requests
  return result
}

/** Every request under load must have counted, too: a server keeps the sum, a cookie gives the one after its own. */
const proveLoad = async (contestant, proof) => {
  if (!keepsSession(contestant)) return
  let counted = 0
  for (const cookie of proof.cookies) {
    const response = await fetch(proof.url, { headers: { ...proof.headers, cookie } })
    const count = Number(await response.text())
    if (!contestant.holds.endsWith("cookie")) {
      counted += count - visits - 1
      continue
    }
    if (count !== visits + 1) throw new Error(`${contestant.id}: the cookie's counter gave ${count} under load`)
    if (response.headers.getSetCookie().length === 0) throw new Error(`${contestant.id}: no cookie under load`)
  }
  // Where two requests of one session did overlap, a store that does not merge loses one: that is not judged here.
  if (!contestant.holds.endsWith("cookie") && counted < 0.95 * proof.loaded) {
    throw new Error(`${contestant.id}: ${proof.loaded} requests, of which ${counted} counted`)
  }
  proof.loaded += proof.cookies.length // this reading counted as well
}

/**
 * What the load leaves unfinished at its end has cost CPU time and is not counted: at most one in twenty. A server that is
 * too slow for that is measured with one connection, and for longer.
 */
const leastRequests = 20
const slow = new Set()

const measure = async (contestant, server, proof, seconds) => {
  const isSlow = slow.has(contestant.id)
  const atOnce = isSlow ? 1 : connections
  const before = await server.ask("usage")
  const { p50Millis, p99Millis, requests, seconds: took } = await loadProven(
    proof,
    isSlow ? seconds * 4 : seconds,
    atOnce
  )
  const after = await server.ask("usage")
  // Its requests come last in the queue: nothing unfinished is left for the next measurement.
  await proveLoad(contestant, proof)
  if (requests < leastRequests * atOnce) {
    if (isSlow) throw new Error(`${contestant.id}: only ${requests} requests in ${took} s`)
    slow.add(contestant.id)
    return await measure(contestant, server, proof, seconds)
  }
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / requests,
    requestsPerSecond: requests / took,
    residentMiB: after.residentBytes / 2 ** 20,
    p50Millis,
    p99Millis
  }
}

/** Until the engine has seen enough requests to have optimised what it will, or it has taken very long. */
const warm = async (proof, { warmRequests, warmSeconds }) => {
  const limit = Date.now() + 5000 * warmSeconds
  do await loadProven(proof, warmSeconds)
  while (proof.loaded < warmRequests && Date.now() < limit)
}

const prepared = async (contestant, settings) => {
  const server = await start(contestant, settings.environment)
  try {
    const proof = await prove(contestant, server.url)
    await warm(proof, settings)
    await proveLoad(contestant, proof)
    return { server, proof }
  } catch (error) {
    await server.stop()
    throw new Error(`${contestant.id}: ${error.message}`, { cause: error })
  }
}

const withFreshServer = (settings) => async (contestant) => {
  const { proof, server } = await prepared(contestant, settings)
  try {
    return await measure(contestant, server, proof, settings.seconds)
  } finally {
    await server.stop()
  }
}

const withKeptServers = (settings) => {
  const kept = new Map()
  const run = async (contestant) => {
    if (!kept.has(contestant.id)) kept.set(contestant.id, await prepared(contestant, settings))
    const { proof, server } = kept.get(contestant.id)
    return await measure(contestant, server, proof, settings.seconds)
  }
  const stop = () => Promise.all([...kept.values()].map(({ server }) => server.stop()))
  return { run, stop }
}

const peers = contestants.filter((contestant) => !contestant.ours)

export const run = async (context) => {
  const { log, quick, skipped } = context
  const environment = context.redis === undefined ? {} : { BENCHMARK_REDIS_URL: context.redis.url }
  // A fresh process for each measurement in a full run: what V8 happens to optimise differs from start to start.
  const settings = quick
    ? { rounds: 3, seconds: 0.5, warmSeconds: 0.5, warmRequests: 3000, environment }
    : { rounds: context.rounds, seconds: 3, warmSeconds: 2, warmRequests: 15_000, environment }

  const takePart = contestants.filter((contestant) => {
    if (contestant.holds !== "redis" || context.redis !== undefined) return true
    skipped.push({ what: contestant.label, reason: "no Redis" })
    return false
  })
  const frameworks = bare.filter(({ framework }) => takePart.some((contestant) => contestant.framework === framework))
  // Each framework's bare server stands beside its contestants: what drifts within a round hits both.
  const order = frameworks.flatMap((framework) => [
    framework,
    ...takePart.filter((contestant) => contestant.framework === framework.framework)
  ])

  const kept = quick ? withKeptServers(settings) : undefined
  const measured = await interleave(
    order,
    settings.rounds,
    kept?.run ?? withFreshServer(settings),
    (round, of) => log(`http: round ${round} of ${of}`)
  ).finally(() => kept?.stop())

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
  const bestMemoryPeer = rows.filter((each) => !each.ours && each.holds === "memory")
    .sort((a, b) => a.overheadMicros.median - b.overheadMicros.median)[0].id

  return {
    rounds: settings.rounds,
    seconds: settings.seconds,
    connections,
    generator,
    pinned,
    freshProcessPerMeasurement: !quick,
    withOneConnection: [...slow],
    bare: frameworks.map(({ id }) => ({
      id,
      cpuMicros: summary(column(id, "cpuMicros")),
      requestsPerSecond: summary(column(id, "requestsPerSecond"))
    })),
    rows,
    ratios: {
      cookieToSecureSession: against("effect/cookie", "fastify/sealedCookie"),
      cookieToKoaSession: against("effect/cookie", "koa/signedCookie"),
      cookieToIdeal: against("effect/cookie", "node:http/ideal"),
      memoryToBestPeer: against("effect/memory", bestMemoryPeer),
      redisToConnectRedis: against("effect/redis", "express/redis")
    },
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
