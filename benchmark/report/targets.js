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
  return rows
}

const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0)

const atMost = (id, what, limit, ratio) =>
  ratio === undefined
    ? missing(id, what, `≤ ${limit}×`)
    : target(id, what, `≤ ${limit}×`, times(ratio.median), ratio.median <= limit)

const kilobytes = (id, what, limit, bytes) =>
  bytes === undefined
    ? missing(id, what, `≤ ${limit} KB`)
    : target(id, what, `≤ ${limit} KB`, `${number(bytes.median / 1024)} KB`, bytes.median <= limit * 1024)

const untouched = ({ counted }) =>
  [counted.untouchedMemory, counted.untouchedCookie]
    .reduce((total, each) => total + sum(each.storeCalls) + sum(each.cryptoCalls) + each.setCookies + each.varies, 0)

const worse = (a, b) => a === undefined || a.median < b.median ? b : a

const counts = (section) => {
  const what = "untouched session: store calls, crypto calls, Set-Cookie, Vary"
  if (section === undefined) return missing("P4", what, "0")
  const touched = untouched(section)
  return target("P4", what, "0", String(touched), touched === 0)
}

/** Each edition on each version of Node.js that it was measured on. */
const subjectsOf = (section) =>
  section === undefined
    ? [3, 4].map((effect) => [`Effect ${effect}`, undefined])
    : section.subjects.map((each) => [`Effect ${each.effect}, Node ${each.node.slice(1).split(".")[0]}`, each])

const inprocess = (section) => {
  const each = (make) => subjectsOf(section).map(([where, measured]) => make(`${where}, in process`, measured))
  return [
    ...each((where, measured) =>
      atMost(
        "P2",
        `${where}: counting in a sealed cookie, time relative to the least sealed app by hand`,
        1.25,
        measured?.ratios.cookieToLeast
      )
    ),
    ...each((where, measured) =>
      kilobytes("P2", `${where}: counting in a sealed cookie, allocated`, 16, measured?.overheadBytes.countCookie)
    ),
    ...each((where, measured) =>
      atMost(
        "P3",
        `${where}: counting in memory, time relative to the idiomatic app by hand`,
        1.25,
        measured?.ratios.memoryToIdiomatic
      )
    ),
    ...each((where, measured) =>
      kilobytes("P3", `${where}: counting in memory, allocated`, 14, measured?.overheadBytes.countMemory)
    ),
    ...each((where, measured) =>
      atMost(
        "P4",
        `${where}: untouched session with its id, time relative to one no-op \`provideService\``,
        1.2,
        worse(measured?.ratios.untouchedMemoryToNoop, measured?.ratios.untouchedCookieToNoop)
      )
    ),
    counts(section)
  ]
}

const http = (section) => {
  const each = (id, limit, what, pick, editions = [3, 4]) =>
    editions.map((effect) => {
      const ratios = section?.ratios[effect]
      return atMost(id, `Effect ${effect}, HTTP: ${what}`, limit, ratios === undefined ? undefined : pick(ratios))
    })
  return [
    ...each(
      "P7",
      1,
      "Redis, overhead relative to express + connect-redis over express",
      ({ redisToConnectRedis }) => redisToConnectRedis
    ),
    ...each(
      "P10",
      1,
      "a whole request in memory relative to hono + hono-sessions",
      ({ wholeMemoryToHono }) => wholeMemoryToHono,
      [4]
    ),
    ...each(
      "P10",
      1.25,
      "a whole request with a sealed cookie relative to fastify + @fastify/secure-session",
      ({ wholeCookieToFastify }) => wholeCookieToFastify,
      [4]
    ),
    ...each(
      "P10",
      1,
      "a whole request in memory relative to express + express-session",
      ({ wholeMemoryToExpressSession }) => wholeMemoryToExpressSession
    ),
    ...each(
      "P10",
      1,
      "a whole request with a sealed cookie relative to iron-session",
      ({ wholeCookieToIronSession }) => wholeCookieToIronSession
    )
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
  if (section?.rows === undefined) return [missing("P7", commands, "1, 2, 1")]
  const counted = shape(section.commands)
  return [target("P7", commands, "1, 2, 1", counted, counted === "1, 2, 1")]
}

const sql = (section) =>
  [["sqlite", "SQLite", 0.8], ["postgres", "PostgreSQL", 0.9]].flatMap(([id, name, least]) => {
    const statements = `${name}, statements per request that reads, reads and writes, only writes`
    const speed = `${name}, speed of SELECT + UPDATE relative to the raw driver`
    const measured = section?.[id]
    if (measured === undefined) return [missing("P8", statements, "1, 2, 2"), missing("P8", speed, `≥ ${least}×`)]
    const counted = shape(measured.statements)
    const ratio = measured.speedToRaw.median
    return [
      target("P8", statements, "1, 2, 2", counted, counted === "1, 2, 2"),
      target("P8", speed, `≥ ${least}×`, times(ratio), ratio >= least)
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

export const targets = (sections) => {
  const overHttp = http(sections.http)
  return [
    ...codec(sections.codec),
    ...inprocess(sections.inprocess),
    ...memory(sections.memory),
    ...redis(sections.redis),
    ...overHttp.filter(({ id }) => id === "P7"),
    ...sql(sections.sql),
    ...growth(sections.growth),
    ...overHttp.filter(({ id }) => id === "P10")
  ]
}

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
    const rows = memory.rows.filter(({ control }) => control !== true)
    compare("bytes per session in memory", rows, ({ bytesPerSession }) => bytesPerSession, "B")
    compare("adding a session in memory", rows, ({ fillMicros }) => fillMicros, "µs")
    compare("longest pause while sessions are added", rows, ({ growthMillis }) => growthMillis, "ms")
    compare("longest pause while sessions expire", rows, ({ expiryMillis }) => expiryMillis, "ms")
  }
  if (redis?.rows !== undefined) {
    compare("Redis, CPU time of a read + write", redis.rows, ({ cpuMicros }) => cpuMicros, "µs")
  }
  for (const [id, name] of [["sqlite", "SQLite"], ["postgres", "PostgreSQL"]]) {
    const measured = sql?.[id]
    if (measured === undefined) continue
    const rows = measured.rows.map((row) => ({
      ...row,
      label: { ours: "effect-session", client: "the client by hand", raw: "the raw driver" }[row.id]
    }))
    compare(`${name}, CPU time of a read + write`, rows, ({ cpuMicros }) => cpuMicros, "µs")
  }
  return { ahead, close }
}
