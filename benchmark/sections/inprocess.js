/**
 * What the session layer costs without a socket: an untouched session compared with a middleware that only provides a service
 * (P4), sessions that count, and the heap that a request allocates (P10).
 */
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { ratio, summary } from "../harness/statistics.js"

const ask = (script, args = [], nodeArgs = []) => askChild({ core: serverCore, script, args, nodeArgs })

const summaries = (rounds, part) =>
  Object.fromEntries(
    Object.keys(rounds[0][part]).map((name) => [name, summary(rounds.map((round) => round[part][name]))])
  )

export const run = async ({ log, quick, rounds: wanted }) => {
  const rounds = quick ? 3 : wanted
  const timing = quick ? [1000, 20, 100] : [4000, 60, 200]
  const allocating = quick ? [1500, 5, 200] : [4000, 15, 300]
  const times = []
  const allocations = []
  for (let round = 0; round < rounds; round++) {
    times.push(await ask("inprocess/child.js", ["time", ...timing]))
    // The young generation holds a whole batch, so that nothing is collected before it is counted.
    allocations.push(
      await ask("inprocess/child.js", ["allocate", ...allocating], [
        "--expose-gc",
        "--min-semi-space-size=256",
        "--max-semi-space-size=256"
      ])
    )
    log(`in process: round ${round + 1} of ${rounds}`)
  }
  const column = (part, name) => times.map((round) => round[part][name])
  return {
    rounds,
    bareMicros: summary(times.map(({ bare }) => bare)),
    overheadMicros: summaries(times, "overhead"),
    overRequestIdMicros: summaries(times, "overRequestId"),
    ratios: {
      // The session's own middleware relative to one no-op, and both of the library's relative to two.
      untouchedMemoryToNoop: ratio(column("overRequestId", "untouchedMemory"), column("overhead", "noop")),
      untouchedCookieToNoop: ratio(column("overRequestId", "untouchedCookie"), column("overhead", "noop")),
      untouchedWithRequestIdToNoopTwice: ratio(column("overhead", "untouchedMemory"), column("overhead", "noopTwice"))
    },
    bareBytes: summary(allocations.map(({ bare }) => bare)),
    overheadBytes: summaries(allocations, "overhead"),
    overRequestIdBytes: summaries(allocations, "overRequestId"),
    counted: await ask("inprocess/count.js"),
    profiles: quick ? undefined : await ask("inprocess/profile.js", [6000])
  }
}
