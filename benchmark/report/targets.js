/**
 * The targets, each with what was measured for it. `met` is undefined where the section has not run.
 */
import { number, times } from "./format.js"

const target = (id, what, wanted, measured, met) => ({ id, what, wanted, measured, met })

const missing = (id, what, wanted) => target(id, what, wanted, "not measured", undefined)

const codec = (section) => {
  const wanted = { 100: 1.25, 1024: 1.15, 3072: 1.1 }
  const names = { 100: "100 B", 1024: "1 KB", 3072: "3 KB" }
  const rows = Object.entries(wanted).map(([size, least]) => {
    const what = `seal + open of ${names[size]}, speed relative to straightforward node:crypto`
    if (section === undefined) return missing("P1", what, `≥ ${least}×`)
    const { speed } = section.withJson[size].find(({ ours }) => ours)
    return target("P1", what, `≥ ${least}×`, times(speed.median), speed.median >= least)
  })
  const what = "seal + open, speed relative to iron-session, at the size where the factor is smallest"
  if (section === undefined) return [...rows, missing("P1", what, "≥ 50×")]
  const least = Math.min(
    ...Object.values(section.withJson).map((size) => size.find(({ id }) => id === "ironSession").oursIsFaster.median)
  )
  return [...rows, target("P1", what, "≥ 50×", times(least), least >= 50)]
}

const http = (section) => {
  const row = (id, what, wanted, limit, ratio) =>
    ratio === undefined
      ? missing(id, what, wanted)
      : target(id, what, wanted, times(ratio.median), ratio.median <= limit)
  const ratios = section?.ratios ?? {}
  const secure = "cookie session, overhead per request relative to fastify + secure-session"
  return [
    row("P2", `${secure} (first step)`, "≤ 1.5×", 1.5, ratios.cookieToSecureSession),
    row("P2", `${secure} (goal)`, "≤ 1.0×", 1, ratios.cookieToSecureSession),
    row("P2", "cookie session, overhead per request relative to koa-session", "≤ 0.7×", 0.7, ratios.cookieToKoaSession),
    row(
      "P3",
      "memory session, overhead per request relative to the best other library",
      "≤ 0.2×",
      0.2,
      ratios.memoryToBestPeer
    )
  ]
}

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0)

const inprocess = (section) => {
  const names = {
    time: "untouched session, time relative to a no-op `provideService` middleware",
    both: "untouched session with `RequestId`, time relative to two such middlewares",
    counts: "untouched session: store calls, crypto calls, Set-Cookie, Vary",
    memory: "heap that a counting session allocates per request, memory store",
    cookie: "heap that a counting session allocates per request, cookie store, 100 B"
  }
  if (section === undefined) {
    return [
      missing("P4", names.time, "≤ 1.2×"),
      missing("P4", names.both, "≤ 1.2×"),
      missing("P4", names.counts, "0"),
      missing("P10", names.memory, "≤ 8 KB"),
      missing("P10", names.cookie, "≤ 12 KB")
    ]
  }
  const { counted, overRequestIdBytes, ratios } = section
  const touched = [counted.untouchedMemory, counted.untouchedCookie]
    .reduce((total, each) => total + sum(each.storeCalls) + sum(each.cryptoCalls) + each.setCookies + each.varies, 0)
  const slower = Math.max(ratios.untouchedMemoryToNoop.median, ratios.untouchedCookieToNoop.median)
  const both = ratios.untouchedWithRequestIdToNoopTwice.median
  const memory = overRequestIdBytes.countMemory.median / 1024
  const cookie = overRequestIdBytes.countCookie100.median / 1024
  return [
    target("P4", names.time, "≤ 1.2×", times(slower), slower <= 1.2),
    target("P4", names.both, "≤ 1.2×", times(both), both <= 1.2),
    target("P4", names.counts, "0", String(touched), touched === 0),
    target("P10", names.memory, "≤ 8 KB", `${number(memory)} KB`, memory <= 8),
    target("P10", names.cookie, "≤ 12 KB", `${number(cookie)} KB`, cookie <= 12)
  ]
}

const memory = (section) => {
  const what = {
    heap: "memory per session, with expiry and eviction",
    growth: "longest pause while sessions are added",
    expiry: "longest pause while one session in a hundred expires"
  }
  if (section === undefined) {
    return [
      missing("P5", what.heap, "≤ 300 B"),
      missing("P6", what.growth, "≤ 3 ms"),
      missing("P6", what.expiry, "≤ 3 ms")
    ]
  }
  const at = `, ${section.sessions.toLocaleString("en-US")} sessions`
  const { bytesPerSession, expiryMillis, growthMillis } = section.rows.find(({ ours }) => ours)
  return [
    target("P5", what.heap + at, "≤ 300 B", `${number(bytesPerSession.median)} B`, bytesPerSession.median <= 300),
    target("P6", what.growth + at, "≤ 3 ms", `${number(growthMillis.median)} ms`, growthMillis.median <= 3),
    target("P6", what.expiry + at, "≤ 3 ms", `${number(expiryMillis.median)} ms`, expiryMillis.median <= 3)
  ]
}

const shape = ({ read, readAndWrite, writeOnly }) =>
  [read, readAndWrite, writeOnly].map(({ perRequest }) => perRequest).join(", ")

const redis = (section) => {
  const commands = "Redis, commands per request that reads, reads and writes, only writes"
  const cpu = "Redis, CPU time of a read + write relative to GET + SET EX by ioredis"
  if (section?.rows === undefined) return [missing("P7", commands, "1, 2, 1"), missing("P7", cpu, "≤ 1.2×")]
  const counted = shape(section.commands)
  const ratio = section.rows.find(({ ours }) => ours).cpuToRaw.median
  return [
    target("P7", commands, "1, 2, 1", counted, counted === "1, 2, 1"),
    target("P7", cpu, "≤ 1.2×", times(ratio), ratio <= 1.2)
  ]
}

const sql = (section) =>
  [["sqlite", "SQLite"], ["postgres", "PostgreSQL"]].flatMap(([id, name]) => {
    const statements = `${name}, statements per request that reads, reads and writes, only writes`
    const speed = `${name}, speed of SELECT + UPDATE relative to the raw driver`
    const measured = section?.[id]
    if (measured === undefined) return [missing("P8", statements, "1, 2, 2"), missing("P8", speed, "≥ 0.8×")]
    const counted = shape(measured.statements)
    const ratio = measured.speedToRaw.median
    return [
      target("P8", statements, "1, 2, 2", counted, counted === "1, 2, 2"),
      target("P8", speed, "≥ 0.8×", times(ratio), ratio >= 0.8)
    ]
  })

/** A request among 1,000 of one session relative to a request among 10, the worse of insert and modify. */
const waiters = (measured) =>
  ["memory", "SQLite", "PostgreSQL", "MariaDB"].map((name) => {
    const what = `${name}, time of a request among 1,000 of one session relative to one among 10, and no failures`
    const store = measured?.stores.find(({ label }) => label === name)
    if (store === undefined) return missing("P9", what, "≤ 1.25×, 0")
    const kinds = [store.insert, store.modify]
    const slower = Math.max(...kinds.map(({ growth }) => growth.median))
    const failed = kinds.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.failed, 0)
    const found = `${times(slower)}, ${failed.toLocaleString("en-US")}`
    return target("P9", what, "≤ 1.25×, 0", found, slower <= 1.25 && failed === 0)
  })

const growth = (section) => {
  const flat = "Redis, a commit to 1,000 keys relative to a commit to 1 key, CPU time of the client"
  const server = "Redis, the same, CPU time of the server"
  const line = "cookie store, part of the cost that a straight line over the session's bytes explains"
  const flatRow = section?.redis === undefined
    ? [missing("P9", flat, "≤ 1.25×"), missing("P9", server, "≤ 1.25×")]
    : [
      target("P9", flat, "≤ 1.25×", times(section.redisGrowth.median), section.redisGrowth.median <= 1.25),
      (() => {
        const at = (index) => section.redis.at(index).serverCpuMicros.median
        const ratio = at(-1) / at(0)
        return target("P9", server, "≤ 1.25×", times(ratio), ratio <= 1.25)
      })()
    ]
  return [
    ...flatRow,
    section === undefined
      ? missing("P9", line, "≥ 0.95")
      : target("P9", line, "≥ 0.95", number(section.cookieLine.explained), section.cookieLine.explained >= 0.95),
    ...waiters(section?.waiters)
  ]
}

export const targets = (sections) => [
  ...codec(sections.codec),
  ...http(sections.http),
  ...inprocess(sections.inprocess).filter(({ id }) => id === "P4"),
  ...memory(sections.memory),
  ...redis(sections.redis),
  ...sql(sections.sql),
  ...growth(sections.growth),
  ...inprocess(sections.inprocess).filter(({ id }) => id === "P10")
]

/**
 * Which contestants did better than effect-session in one run, for the reader who looks for exactly that: `ahead` where the
 * middle halves of the rounds do not overlap, `close` where only the medians differ.
 */
export const notFaster = (sections) => {
  const ahead = []
  const close = []
  const compare = (where, rows, pick, unit) => {
    for (const own of rows.filter((row) => row.ours && pick(row) !== undefined)) {
      const mine = pick(own)
      const better = rows.filter((row) => !row.ours && pick(row) !== undefined && pick(row).median < mine.median)
      const describe = (list) =>
        list.map((row) => `${row.label} ${number(pick(row).median)} ${unit}`).join(", ")
        + `; ${own.label} ${number(mine.median)} ${unit}`
      const clearly = better.filter((row) => pick(row).q3 < mine.q1)
      const barely = better.filter((row) => pick(row).q3 >= mine.q1)
      if (clearly.length > 0) ahead.push(`${where}: ${describe(clearly)}`)
      if (barely.length > 0) close.push(`${where}: ${describe(barely)}`)
    }
  }
  const { codec, http, memory, redis, sql } = sections
  if (codec !== undefined) {
    for (const [size, rows] of Object.entries(codec.withJson)) {
      compare(`seal + open of ${size} B`, rows, ({ micros }) => micros, "µs")
    }
  }
  if (http !== undefined) {
    for (const holds of ["sealed cookie", "signed cookie", "memory", "redis"]) {
      // Everyone who has a signed cookie can read it. It is compared with our sealed cookie all the same.
      const own = holds === "signed cookie" ? "sealed cookie" : holds
      const rows = http.rows.filter((row) => row.ours ? row.holds === own : row.holds === holds)
      compare(`overhead per HTTP request, ${holds}`, rows, ({ overheadMicros }) => overheadMicros, "µs")
    }
  }
  if (memory !== undefined) {
    compare("bytes per session in memory", memory.rows, ({ bytesPerSession }) => bytesPerSession, "B")
    compare("adding a session in memory", memory.rows, ({ fillMicros }) => fillMicros, "µs")
    compare("longest pause while sessions are added", memory.rows, ({ growthMillis }) => growthMillis, "ms")
    compare("longest pause while sessions expire", memory.rows, ({ expiryMillis }) => expiryMillis, "ms")
  }
  if (redis?.rows !== undefined) {
    compare("Redis, CPU time of a read + write", redis.rows, ({ cpuMicros }) => cpuMicros, "µs")
  }
  for (const [id, name] of [["sqlite", "SQLite"], ["postgres", "PostgreSQL"]]) {
    const measured = sql?.[id]
    if (measured === undefined) continue
    const rows = measured.rows.map((row) => ({ ...row, label: row.ours ? "effect-session" : "the raw driver" }))
    compare(`${name}, CPU time of a read + write`, rows, ({ cpuMicros }) => cpuMicros, "µs")
  }
  return { ahead, close }
}
