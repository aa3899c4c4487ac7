/**
 * The Redis store compared with a raw driver that runs GET + SET EX, and the commands that reach the server per request (P7).
 * All contestants run on one version of Node.js, on which both editions run where that can be had.
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { edition4 } from "../harness/edition4.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { ratio, summary } from "../harness/statistics.js"
import { inFlight } from "../harness/workers.js"

const labels = {
  raw: "ioredis, GET + SET EX by hand",
  ours: "effect-session on Effect 3",
  oursNode: "effect-session on Effect 3, through node-redis",
  ours4: "effect-session on Effect 4",
  oursNode4: "effect-session on Effect 4, through node-redis",
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
  const node = quick ? current : nodeOf(longTerm, skipped) ?? current
  const place = quick ? undefined : edition4(skipped)
  const ask = (names, place = {}) =>
    askChild({
      core: serverCore,
      node: node.binary,
      script: "redis/child.js",
      args: [redis.url, cycles, each, names.join(",")],
      ...place
    })
  const measured = []
  for (let round = 0; round < rounds; round++) {
    const three = await ask(["raw", "ours", "oursNode", "nodeRedis", "connectRedis"])
    const four = place === undefined ? undefined : await ask(["ours", "oursNode"], place)
    measured.push(four === undefined ? three : { ...three, ours4: four.ours, oursNode4: four.oursNode })
    log(`redis: round ${round + 1} of ${rounds}`)
  }
  const cpu = (id) => measured.map((round) => round[id].cpuMicros)
  const wall = (id) => measured.map((round) => round[id].wallMicros)
  return {
    rounds,
    node: node.version,
    inFlight,
    rows: Object.entries(labels).filter(([id]) => measured[0][id] !== undefined).map(([id, label]) => ({
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
