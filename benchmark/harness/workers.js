/**
 * Runs `inFlight` requests at once, each with a session of its own, which it reads and writes.
 */
import { Effect } from "effect"

export const inFlight = 32

const now = () => Number(process.hrtime.bigint()) / 1000

/** CPU and wall microseconds for each of `total` operations. */
const timed = async (total, work) => {
  const cpu = process.cpuUsage()
  const start = now()
  await work()
  const wall = now() - start
  const { system, user } = process.cpuUsage(cpu)
  return { cpuMicros: (user + system) / total, wallMicros: wall / total }
}

/** For drivers whose operations return promises: `operation(worker)`. */
export const promises = (operation, each) =>
  timed(inFlight * each, () =>
    Promise.all(Array.from({ length: inFlight }, async (_, worker) => {
      for (let i = 0; i < each; i++) await operation(worker)
    })))

/** For stores: one fiber for each worker, as each request of a server has. */
export const effects = (operation, each) =>
  timed(inFlight * each, () =>
    Effect.runPromise(
      Effect.forEach(
        Array.from({ length: inFlight }, (_, worker) => worker),
        (worker) => Effect.repeatN(Effect.suspend(() => operation(worker)), each - 1),
        { concurrency: "unbounded", discard: true }
      )
    ))
