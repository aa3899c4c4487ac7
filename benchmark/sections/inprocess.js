/**
 * What the session layer costs without a socket: an untouched session compared with a middleware that only provides a service
 * (P4), and sessions that count compared with what a careful developer writes by hand (P2, P3), in time and in the heap that a
 * request allocates, on each version of Node.js.
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { otherNodes } from "../harness/nodes.js"
import { ratio, summary } from "../harness/statistics.js"

const ask = (node, script, args = [], nodeArgs = []) => askChild({ core: serverCore, node, script, args, nodeArgs })

const summaries = (rounds, part) =>
  Object.fromEntries(
    Object.keys(rounds[0][part]).map((name) => [name, summary(rounds.map((round) => round[part][name]))])
  )

/** The young generation holds a whole batch, so that nothing is collected before it is counted. */
const uncollected = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"]

const roundsOn = async (node, { log, quick, rounds }) => {
  const timing = quick ? [1000, 20, 100] : [4000, 60, 200]
  const allocating = quick ? [1500, 5, 200] : [4000, 15, 300]
  const times = []
  const allocations = []
  for (let round = 0; round < rounds; round++) {
    times.push(await ask(node, "inprocess/child.js", ["time", ...timing]))
    allocations.push(await ask(node, "inprocess/child.js", ["allocate", ...allocating], uncollected))
    log(`in process: round ${round + 1} of ${rounds}`)
  }
  const to = (name, floor) =>
    ratio(times.map((round) => round.overhead[name]), times.map((round) => round.overhead[floor]))
  return {
    bareMicros: summary(times.map(({ bare }) => bare)),
    overheadMicros: summaries(times, "overhead"),
    bareBytes: summary(allocations.map(({ bare }) => bare)),
    overheadBytes: summaries(allocations, "overhead"),
    ratios: {
      untouchedMemoryToNoop: to("untouchedMemory", "noop"),
      untouchedCookieToNoop: to("untouchedCookie", "noop"),
      memoryToIdiomatic: to("countMemory", "countMemoryIdiomatic"),
      memoryToLeast: to("countMemory", "countMemoryLeast"),
      cookieToIdiomatic: to("countCookie", "countCookieIdiomatic"),
      cookieToLeast: to("countCookie", "countCookieLeast")
    }
  }
}

export const run = async ({ log, nodes, quick, rounds: wanted, skipped }) => {
  const rounds = quick ? 3 : wanted
  const here = await roundsOn(process.execPath, { log, quick, rounds })
  const others = {}
  for (const { binary, version } of nodes && !quick ? otherNodes(skipped) : []) {
    others[version] = await roundsOn(binary, { log: (text) => log(`${text}, Node ${version}`), quick, rounds })
  }
  return {
    rounds,
    ...here,
    nodes: { [process.version]: here, ...others },
    counted: await ask(process.execPath, "inprocess/count.js"),
    profiles: quick ? undefined : await ask(process.execPath, "inprocess/profile.js", [6000])
  }
}
