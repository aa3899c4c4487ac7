/**
 * The charts of docs/benchmarks.md, by file name.
 */
import { contest, lines } from "./svg.js"

const codec = ({ withJson }) => ({
  codec: contest({
    title: "Seal and open one session of 1 KB",
    subtitle: "microseconds, less is better; the thin line covers the middle half of the rounds",
    unit: "µs",
    logarithmic: true,
    rows: withJson["1024"].map(({ label, micros, ours }) => ({ label, ours, summary: micros }))
  })
})

const http = ({ rows }) => ({
  http: contest({
    title: "What the session layer adds to an HTTP request",
    subtitle: "CPU microseconds per request with the layer minus without it, less is better",
    unit: "µs",
    logarithmic: true,
    rows: [...rows]
      .sort((a, b) => a.overheadMicros.median - b.overheadMicros.median)
      .map(({ label, ours, overheadMicros }) => ({ label, ours, summary: overheadMicros }))
  })
})

const inprocess = ({ subjects }) => ({
  inprocess: contest({
    title: "What a middleware adds in process",
    subtitle: "microseconds above the bare handler, less is better",
    unit: "µs",
    rows: [3, 4].flatMap((effect) => {
      const measured = subjects.find((each) => each.effect === effect)
      return measured === undefined ? [] : [
        ["a no-op service", "noop", false],
        ["session untouched", "untouchedMemory", true],
        ["memory, by hand, the least", "countMemoryLeast", false],
        ["memory, by hand, idiomatic", "countMemoryIdiomatic", false],
        ["session counting, memory", "countMemory", true],
        ["sealed cookie, by hand, the least", "countCookieLeast", false],
        ["sealed cookie, by hand, idiomatic", "countCookieIdiomatic", false],
        ["session counting, cookie", "countCookie", true]
      ].map(([label, id, ours]) => ({
        label: `Effect ${effect}: ${label}`,
        ours,
        summary: measured.overheadMicros[id]
      }))
    })
  })
})

const memory = ({ rows, sessions }) => ({
  memory: contest({
    title: `Memory per session, ${sessions.toLocaleString("en-US")} sessions`,
    subtitle: "bytes for a session of 80 bytes of JSON, less is better",
    unit: "B",
    rows: rows.filter(({ control }) => control !== true).map(({ bytesPerSession, label, ours }) => ({
      label,
      ours,
      summary: bytesPerSession
    }))
  }),
  pauses: contest({
    title: "Longest pause while sessions are added and while they expire",
    subtitle: "milliseconds of CPU time in one turn of the event loop, without garbage collection, less is better",
    unit: "ms",
    logarithmic: true,
    rows: rows.flatMap(({ expiryMillis, growthMillis, label, ours }) => [
      { label: `${label}: adding`, ours, summary: growthMillis },
      { label: `${label}: expiring`, ours, summary: expiryMillis }
    ])
  })
})

const redis = ({ rows }) => ({
  redis: contest({
    title: "One read and one write on Redis",
    subtitle: "CPU microseconds of the client's process, less is better",
    unit: "µs",
    rows: rows.map(({ cpuMicros, label, ours }) => ({ label, ours, summary: cpuMicros }))
  })
})

const sql = ({ postgres, sqlite }) => ({
  sql: contest({
    title: "One read and one write in SQL",
    subtitle: "CPU microseconds of the client's process, less is better",
    unit: "µs",
    rows: [["SQLite", "better-sqlite3", sqlite], ["PostgreSQL", "pg", postgres]].flatMap(([name, driver, measured]) =>
      (measured?.rows ?? []).map(({ cpuMicros, id, ours }) => ({
        label: { ours: `effect-session, ${name}`, client: `SqlClient by hand, ${name}`, raw: `${driver} by hand` }[id],
        ours,
        summary: cpuMicros
      }))
    )
  })
})

const points = (rows, key) => rows.map(({ size, [key]: summary }) => [size, summary.median])

const waiters = ({ stores }) => ({
  "growth-waiters": lines({
    title: "An insert, by the number of requests of one session at once",
    subtitle: "milliseconds of the whole batch per request, both axes logarithmic",
    unit: "ms",
    xLabel: "requests at once",
    logarithmic: true,
    series: stores.map(({ insert, label }) => ({
      label,
      points: insert.rows.map(({ size, wallMicros }) => [size, wallMicros.median / 1000])
    }))
  })
})

const growth = ({ cookie, memory, redis, waiters: measured }) => ({
  ...(measured === undefined ? {} : waiters(measured)),
  growth: lines({
    title: "A commit of one changed value, by the number of keys",
    subtitle: "CPU microseconds, both axes logarithmic",
    unit: "µs",
    xLabel: "keys in the session",
    logarithmic: true,
    series: [
      ...(redis === undefined ? [] : [
        { label: "Redis, client", points: points(redis, "cpuMicros") },
        { label: "Redis, server", points: points(redis, "serverCpuMicros") }
      ]),
      { label: "memory", points: points(memory, "cpuMicros") }
    ]
  }),
  "growth-cookie": lines({
    title: "A load and a commit of the cookie store, by the session's bytes",
    subtitle: "CPU microseconds",
    unit: "µs",
    xLabel: "bytes of the session",
    series: [{ label: "cookie store", points: points(cookie, "cpuMicros") }]
  })
})

const parts = { codec, http, inprocess, memory, redis, sql, growth }

export const charts = (sections) =>
  Object.assign(
    {},
    ...Object.entries(parts).map(([name, part]) => {
      const section = sections[name]
      return section === undefined || (section.rounds === undefined && section.sqlite === undefined)
        ? {}
        : part(section)
    })
  )
