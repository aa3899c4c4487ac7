/**
 * Growth (P9): a commit on Redis from 1 to 1,000 keys, the cookie store by bytes, and a session by how many of its requests
 * run at once.
 */
import { measureWaiters } from "../growth/waiters.js"
import { askChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { ratio, summary } from "../harness/statistics.js"

/** Fits a straight line by least squares. `explained` is the part of the variance that it explains. */
const line = (points) => {
  const n = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const variance = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const total = points.reduce((sum, [, y]) => sum + (y - meanY) ** 2, 0)
  const slope = covariance / variance
  return { slope, intercept: meanY - slope * meanX, explained: covariance ** 2 / (variance * total) }
}

export const run = async (context) => {
  const { log, quick, redis, rounds: wanted } = context
  const rounds = quick ? 3 : wanted
  const [cycles, each] = quick ? [4, 50] : [12, 250]
  const measured = []
  for (let round = 0; round < rounds; round++) {
    measured.push(
      await askChild({ core: serverCore, script: "growth/child.js", args: [redis?.url ?? "-", cycles, each] })
    )
    log(`growth: round ${round + 1} of ${rounds}`)
  }
  const column = (store, at, key) => measured.map((round) => round[store][at][key])
  const rows = (store) =>
    measured[0][store]?.map(({ serverCpuMicros, size }, at) => ({
      size,
      cpuMicros: summary(column(store, at, "cpuMicros")),
      wallMicros: summary(column(store, at, "wallMicros")),
      ...(serverCpuMicros === undefined ? {} : { serverCpuMicros: summary(column(store, at, "serverCpuMicros")) })
    }))
  const growth = (store) => {
    if (measured[0][store] === undefined) return undefined
    const last = measured[0][store].length - 1
    return ratio(column(store, last, "cpuMicros"), column(store, 0, "cpuMicros"))
  }
  const cookie = rows("cookie")
  return {
    rounds,
    redis: rows("redis"),
    memory: rows("memory"),
    cookie,
    redisGrowth: growth("redis"),
    memoryGrowth: growth("memory"),
    cookieLine: line(cookie.map(({ cpuMicros, size }) => [size, cpuMicros.median])),
    waiters: await measureWaiters(context)
  }
}
