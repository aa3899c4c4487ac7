/**
 * What the session layer costs without a socket: an untouched session compared with a middleware that only provides a service
 * (P4), and sessions that count compared with what a careful developer writes by hand (P2, P3), in time and in the heap that a
 * request allocates, on each version of Node.js and
 * with each version of Effect.
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { edition4 } from "../harness/edition4.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { ratio, summary } from "../harness/statistics.js"

const summaries = (rounds, part) =>
  Object.fromEntries(
    Object.keys(rounds[0][part]).map((name) => [name, summary(rounds.map((round) => round[part][name]))])
  )

/** The young generation holds a whole batch, so that nothing is collected before it is counted. */
const uncollected = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"]

/** One round of one version of Node.js and of Effect. */
const measure = async ({ edition, node }, quick) => {
  const ask = (args, nodeArgs = []) =>
    askChild({ core: serverCore, node: node.binary, script: "inprocess/child.js", args, nodeArgs, ...edition.place })
  const timing = quick ? [1000, 20, 100] : [4000, 60, 200]
  const allocating = quick ? [1500, 5, 200] : [4000, 15, 300]
  return { time: await ask(["time", ...timing]), bytes: await ask(["allocate", ...allocating], uncollected) }
}

const summarised = (rounds) => {
  const times = rounds.map(({ time }) => time)
  const allocations = rounds.map(({ bytes }) => bytes)
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

const effect3 = { effect: 3, place: {} }

/** What is measured, the first of which the page describes in full: each edition on each version of Node.js that it runs on. */
const subjects = ({ nodes, quick, skipped }) => {
  const here = { edition: effect3, node: current }
  if (quick) return [here]
  const place = edition4(skipped)
  const others = (nodes ? [longTerm, "latest"] : [longTerm]).map((version) => nodeOf(version, skipped))
  const modern = others.filter((node, at) =>
    node !== undefined && others.findIndex((each) => each?.version === node.version) === at
  )
  return [
    here,
    ...modern.filter(({ version }) => version !== current.version).map((node) => ({ edition: effect3, node })),
    ...(place === undefined ? [] : modern.map((node) => ({ edition: { effect: 4, place }, node })))
  ]
}

export const run = async ({ log, nodes, quick, rounds: wanted, skipped }) => {
  const rounds = quick ? 3 : wanted
  const measured = subjects({ nodes, quick, skipped }).map((subject) => ({ subject, rounds: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const each of measured) each.rounds.push(await measure(each.subject, quick))
    log(`in process: round ${round + 1} of ${rounds}`)
  }
  return {
    rounds,
    subjects: measured.map(({ rounds, subject: { edition, node } }) => ({
      effect: edition.effect,
      node: node.version,
      ...summarised(rounds)
    })),
    counted: await askChild({ core: serverCore, script: "inprocess/count.js" })
  }
}
