/**
 * So many requests in flight, each with a session of its own, one read + one write each.
 */
import { Effect } from "effect"

export const inFlight = 32

const now = () => Number(process.hrtime.bigint()) / 1000

/** CPU and wall microseconds per operation of `total`. */
const timed = async (total, work) => {
  const cpu = process.cpuUsage()
  const start = now()
  await work()
  const wall = now() - start
  const { system, user } = process.cpuUsage(cpu)
  return { cpuMicros: (user + system) / total, wallMicros: wall / total }
}

/** For drivers that give promises: `operation(worker)`. */
export const promises = (operation, each) =>
  timed(inFlight * each, () =>
    Promise.all(Array.from({ length: inFlight }, async (_, worker) => {
      for (let i = 0; i < each; i++) await operation(worker)
    })))

/** For stores: a fiber for each, as the requests of a server have. */
export const effects = (operation, each) =>
  timed(inFlight * each, () =>
    Effect.runPromise(
      Effect.forEach(
        Array.from({ length: inFlight }, (_, worker) => worker),
        (worker) => Effect.repeatN(Effect.suspend(() => operation(worker)), each - 1),
        { concurrency: "unbounded", discard: true }
      )
    ))
