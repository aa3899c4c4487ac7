/**
 * The Redis store compared with a raw driver that runs GET + SET EX, and the commands that reach the server per request (P7).
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { ratio, summary } from "../harness/statistics.js"
import { inFlight } from "../harness/workers.js"

const labels = {
  raw: "ioredis, GET + SET EX by hand",
  ours: "effect-session, Redis store",
  oursNode: "effect-session, Redis store through node-redis",
  nodeRedis: "node-redis, GET + SET EX by hand",
  connectRedis: "connect-redis (node-redis)"
}

export const run = async ({ log, quick, redis, rounds: wanted, skipped }) => {
  if (redis === undefined) {
    skipped.push({ what: "Redis", reason: "redis-server is not installed" })
    return undefined
  }
  const rounds = quick ? 3 : wanted
  const [cycles, each] = quick ? [6, 40] : [16, 150]
  const measured = []
  for (let round = 0; round < rounds; round++) {
    measured.push(await askChild({ core: serverCore, script: "redis/child.js", args: [redis.url, cycles, each] }))
    log(`redis: round ${round + 1} of ${rounds}`)
  }
  const cpu = (id) => measured.map((round) => round[id].cpuMicros)
  const wall = (id) => measured.map((round) => round[id].wallMicros)
  return {
    rounds,
    inFlight,
    rows: Object.entries(labels).map(([id, label]) => ({
      id,
      label,
      ours: id.startsWith("ours"),
      cpuMicros: summary(cpu(id)),
      operationsPerSecond: summary(wall(id).map((micros) => 1e6 / micros)),
      cpuToRaw: ratio(cpu(id), cpu("raw"))
    })),
    commands: await askChild({ core: serverCore, script: "redis/count.js", args: [redis.url] })
  }
}
