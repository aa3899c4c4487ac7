/**
 * The sections of docs/benchmarks.md, each from what `sections/` measured.
 */
import { emphasise, number, spread, table, times } from "./format.js"

const measuredAt = ({ date, quick, revision, rounds }) =>
  `Measured on ${date.slice(0, 10)} at ${revision.commit ?? "an unknown commit"}`
  + `${revision.changed ? " with changes that were not committed" : ""}, in ${
    rounds === 1 ? "one round" : `${rounds} interleaved rounds`
  }`
  + `${quick ? " (a quick run: its rounds are short and only show that everything works)" : ""}.`

const chart = (name, alternative, folder) => `![${alternative}](${folder}/${name}.svg)`

const sizes = { 100: "100 B", 1024: "1 KB", 3072: "3 KB" }

const sealing = (measured) =>
  table(
    ["seal + open, µs", ...Object.values(sizes)],
    measured["100"].map(({ id, label, ours }) => [
      emphasise(ours, label),
      ...Object.keys(sizes).map((size) => {
        const row = measured[size].find((each) => each.id === id)
        return `${spread(row.micros)} · ${times(row.speed.median)}`
      })
    ])
  )

const codec = (section, folder) => [
  "## Sealing and opening a cookie",
  measuredAt(section),
  "Each contestant seals one session, given as an object, into the text of a cookie and opens it again. “Straightforward "
  + "node:crypto” is what a careful developer writes by hand in ten minutes: a random nonce, the cookie's name as additional "
  + "data, and the authentication tag at its full length. effect-session takes part with the public `PrivateCookie`, which "
  + "also refuses every text that is not canonical base64.",
  chart("codec", "Microseconds to seal and open one session of 1 KB", folder),
  sealing(section.withJson),
  "The factor is the speed relative to straightforward node:crypto: above 1 is faster. The next table measures text only, "
  + "without converting it to or from JSON:",
  sealing(section.textOnly)
]

const http = (section, folder) => {
  const bare = Object.fromEntries(section.bare.map(({ cpuMicros, id }) => [id, cpuMicros]))
  const factor = (row, effect) => {
    if (row.ours || row.holds === "nothing") return "–"
    const variant = row.holds.endsWith("cookie") ? "cookie" : row.holds
    return times(section.toPeers[`effect${effect}/${variant}`]?.[row.id])
  }
  const h3 = section.rows.find(({ id }) => id === "h3/sealedCookie")
  return [
    "## Overhead per HTTP request",
    measuredAt(section),
    "The table compares each framework with its session layer and without it. The handler adds one to a counter in every "
    + `request. The times are CPU time of the server's process per request, on Node ${section.node.slice(1)}. `
    + `${
      section.pinned
        ? "The server runs on one core and the load comes from the other"
        : "Server and load share the cores"
    }: ${section.load}.${
      section.loadMicros === undefined
        ? ""
        : ` The load itself takes ${spread(section.loadMicros)} µs of CPU time per request, which no row includes.`
    }${section.freshProcessPerMeasurement ? " Each measurement starts a new server process." : ""} effect-session runs `
    + "both of its middlewares, `RequestId` and `RequestContext`; the last row shows what `RequestId` takes alone.",
    chart("http", "Microseconds of CPU time that the session layer adds to a request", folder),
    table(
      [
        "",
        "session in",
        "without, µs",
        "with, µs",
        "overhead, µs",
        "effect-session on Effect 3 relative to it",
        "on Effect 4"
      ],
      section.rows.map((row) => [
        emphasise(row.ours, row.label),
        row.holds,
        number(bare[row.framework].median),
        spread(row.cpuMicros),
        emphasise(row.ours, spread(row.overheadMicros)),
        factor(row, 3),
        factor(row, 4)
      ]),
      ["session in"]
    ),
    "A signed cookie is not encrypted: the owner of the browser can read it, and so can everyone else who has the cookie. "
    + "`koa-session`, `cookie-session` and React Router's storage sign their cookies; the other cookie sessions are sealed."
    + `${
      h3 === undefined || h3.overheadMicros.median < 5000
        ? ""
        : " h3 stretches its password with thousands of rounds of PBKDF2 whenever it seals or opens a session, and its row "
          + "shows what that costs."
    }`,
    table(
      ["requests per second", "without", "with", "p99, ms"],
      section.rows.map((row) => [
        emphasise(row.ours, row.label),
        number(section.bare.find(({ id }) => id === row.framework).requestsPerSecond.median),
        spread(row.requestsPerSecond),
        number(row.p99Millis.median)
      ])
    )
  ]
}

const inprocessLabels = {
  noop: "a no-op `provideService` middleware",
  noopTwice: "two of them",
  countMemoryIdiomatic: "by hand: a Map, a service, the platform's combinators",
  countMemoryLeast: "by hand: a Map, nothing that can be left out",
  countCookieIdiomatic: "by hand: a sealed cookie, a service, the platform's combinators",
  countCookieLeast: "by hand: a sealed cookie, nothing that can be left out",
  requestId: "`RequestId` alone",
  untouchedMemory: "`Session.middleware`, session untouched, memory",
  untouchedCookie: "`Session.middleware`, session untouched, cookie",
  readMemory: "session read, memory",
  readCookie: "session read, cookie",
  countMemory: "session read and written, memory",
  countCookie: "session read and written, cookie",
  countCookie100: "session of 100 B read and written, cookie"
}

const calls = (counts) => {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return parts.length === 0 ? "none" : parts.join(", ")
}

const countedLabels = {
  untouchedMemory: "untouched, memory",
  untouchedCookie: "untouched, cookie",
  readMemory: "read, memory",
  writeMemory: "written without being read, memory",
  countMemory: "read and written, memory",
  countCookie: "read and written, cookie"
}

/** What is not the library's: the floors. */
const isFloor = (id) => id.startsWith("noop") || /Idiomatic$|Least$/.test(id)

/** A row for an edition on a version of Node.js. */
const subject = ({ bareMicros, effect, node, overheadBytes, overheadMicros, ratios }) => [
  `Effect ${effect}, Node ${node.slice(1)}`,
  number(bareMicros.median),
  ...["noop", "untouchedMemory", "readMemory", "countMemory", "countMemoryIdiomatic", "countCookie", "countCookieLeast"]
    .map((id) => `${number(overheadMicros[id].median)} · ${number(overheadBytes[id].median / 1024)}`),
  times(ratios.memoryToIdiomatic.median),
  times(ratios.cookieToLeast.median)
]

const inprocess = (section, folder) => {
  const [here] = section.subjects
  return [
    "## In process",
    measuredAt(section),
    "Here the web handlers are called directly, without a socket. They take turns of a few milliseconds within one process, and "
    + `each round is a new process. With Effect ${here.effect} on Node ${here.node.slice(1)} the bare handler takes `
    + `${number(here.bareMicros.median)} µs and allocates ${
      number(here.bareBytes.median / 1024)
    } KB. The table shows what each `
    + "middleware adds.",
    chart("inprocess", "Microseconds that a middleware adds to a request in process", folder),
    table(
      ["added to the bare handler", "µs", "allocated, KB"],
      Object.entries(inprocessLabels).map(([id, label]) => {
        const { median, q1, q3 } = here.overheadBytes[id]
        return [
          emphasise(!isFloor(id), label),
          spread(here.overheadMicros[id]),
          spread({ median: median / 1024, q1: q1 / 1024, q3: q3 / 1024 })
        ]
      })
    ),
    "The floors do less than a session library has to: they know no expiry on the server, no limit of size, no atomic change, "
    + "no typed values and no store that can fail. The next table shows both editions on the versions of Node.js that they run "
    + "on, each over its own bare handler, as microseconds · KB allocated. The rounds of all of them take turns:",
    table(
      [
        "",
        "bare, µs",
        "no-op",
        "untouched",
        "read",
        "counting in memory",
        "the idiomatic floor",
        "counting in a cookie",
        "the least floor",
        "memory ÷ floor",
        "cookie ÷ floor"
      ],
      section.subjects.map(subject)
    ),
    ...countedCalls(section)
  ]
}

const countedCalls = (section) => [
  `These calls were counted over ${section.counted.untouchedMemory.requests} requests:`,
  table(
    ["session", "store calls", "calls of node:crypto", "Set-Cookie", "Vary"],
    Object.entries(countedLabels).map(([id, label]) => {
      const { cryptoCalls, setCookies, storeCalls, varies } = section.counted[id]
      return [label, calls(storeCalls), calls(cryptoCalls), String(setCookies), String(varies)]
    }),
    ["store calls", "calls of node:crypto"]
  )
]

const memory = (section, folder) => [
  `## ${section.sessions.toLocaleString("en-US")} sessions in memory`,
  measuredAt(section),
  `Each store runs in a process of its own on Node ${
    section.node.slice(1)
  }, and is filled through its own functions with `
  + "sessions of 80 bytes of JSON. The memory per session is V8's heap and what lies outside it (`heapUsed + external`) after a "
  + "full garbage collection. A pause is the longest turn of the event loop without the part of the garbage collector; the last "
  + "two columns include that part. The part of the collector is what `perf_hooks` reports, and the time in which the main "
  + "thread waits for a core, as Linux counts it: V8 marks in threads of its own, and on a machine of two cores one of them "
  + "takes the main thread's core for up to 4 ms. No part of `perf_hooks` shows this."
  + `${
    section.rows.some(({ control }) => control === true)
      ? " “No store” makes the token, its hash and the JSON, and keeps nothing: its pauses are those of the machine and of the "
        + "engine."
      : ""
  } For the pause while sessions expire, one in a hundred sessions expires at once and the store cleans up in its own way. `
  + "`Map` and hono-sessions never clean up.",
  chart("memory", "Bytes per session", folder),
  table(
    [
      "",
      "bytes per session",
      "adding one, µs",
      "pause while adding, ms",
      "pause while expiring, ms",
      "adding, with collection",
      "expiring, with collection"
    ],
    section.rows.map((row) => [
      emphasise(row.ours, row.label),
      spread(row.bytesPerSession),
      number(row.fillMicros.median),
      spread(row.growthMillis),
      spread(row.expiryMillis),
      number(row.growthWithGcMillis.median),
      number(row.expiryWithGcMillis?.median)
    ])
  ),
  chart("pauses", "Longest pause in milliseconds", folder),
  "`memorystore` and express-session keep the cookie's attributes in every record, and hono-sessions keeps objects. Adding a "
  + "session to effect-session includes making its token of 256 random bits and the token's SHA-256."
]

const perRequest = (counts) =>
  table(
    ["request", "number", "which"],
    Object.entries({
      untouched: "session untouched",
      read: "read",
      readAndWrite: "read and written",
      writeOnly: "written without being read",
      modify: "modified atomically"
    }).map(([id, label]) => [
      label,
      String(counts[id].perRequest),
      counts[id].names.length === 0 ? "–" : counts[id].names.join(", ")
    ]),
    ["which"]
  )

const redis = (section, folder) => [
  "## Redis",
  measuredAt(section),
  `One operation reads a session and writes it. ${section.inFlight} operations run at once, each on a session of its own, and `
  + `the time is CPU time of the client's process, on Node ${
    section.node.slice(1)
  }. “By hand” is GET and SET EX of JSON, where `
  + "the last writer wins. "
  + "effect-session applies only what changed, in one atomic step, and never revives a session that has ended.",
  chart("redis", "CPU microseconds of one read and one write on Redis", folder),
  table(
    ["", "CPU, µs", "relative to ioredis by hand", "operations per second"],
    section.rows.map((row) => [
      emphasise(row.ours, row.label),
      spread(row.cpuMicros),
      times(row.cpuToRaw.median),
      spread(row.operationsPerSecond)
    ])
  ),
  "These commands reach the server, counted with MONITOR:",
  perRequest(section.commands)
]

const sqlPart = (name, driver, measured) => [
  `### ${name}`,
  table(
    ["", "CPU, µs", "operations per second"],
    measured.rows.map((row) => [
      emphasise(
        row.ours,
        { ours: "effect-session, SQL store", client: "Effect's `SqlClient` by hand", raw: driver }[row.id]
      ),
      spread(row.cpuMicros),
      spread(row.operationsPerSecond)
    ])
  ),
  `The speed relative to the raw driver is ${spread(measured.speedToRaw)}, and relative to the client by hand `
  + `${spread(measured.speedToClient)}. These statements reach the driver:`,
  perRequest(measured.statements)
]

const sql = (section, folder) => [
  "## SQL",
  measuredAt({ rounds: section.sqlite.rounds, ...section }),
  `One operation reads a session and writes it. ${section.sqlite.inFlight} operations run at once, each on a session of its `
  + "own. The raw driver, and Effect's `SqlClient` by hand, run the same SELECT and the same UPDATE on rows of the same table.",
  chart("sql", "CPU microseconds of one read and one write in SQL", folder),
  "effect-session does more than the raw driver. It compares the version and reports whether the record was there. It ends "
  + "each statement after a time-out, even where nothing can be interrupted. It also runs the effect of the app's own "
  + "`SqlClient`, which takes a fiber on PostgreSQL and a look into the client's cache of statements on SQLite. On SQLite, one "
  + "`UPDATE` for many sessions at once would be faster, but SQLite's query plan for it cannot be forced, and with outdated "
  + "statistics it reads the whole table.",
  ...sqlPart("SQLite", "better-sqlite3", section.sqlite),
  ...(section.postgres === undefined ? [] : sqlPart("PostgreSQL", "pg", section.postgres))
]

const failures = ({ failed, requests }) =>
  failed === 0 ? "0" : `**${failed.toLocaleString("en-US")} of ${requests.toLocaleString("en-US")}**`

const waiters = ({ rounds, stores }, folder) => [
  "### Many requests of one session at once",
  `Each row is a batch of requests that all belong to one session and run at once, in ${rounds} round${
    rounds === 1 ? "" : "s"
  }. None of them may change the session before all of them have arrived. The time is that of the whole batch divided by its `
  + "number of requests. It must not grow with that number. An insert adds a key of its own to the session, which holds 500 "
  + "keys on average in every row. A modify adds one to the session's only value. A request that is not answered with 200 "
  + "counts as failed; every other change must be in the session afterwards.",
  chart("growth-waiters", "Milliseconds per insert by the number of requests of one session at once", folder),
  table(
    ["", "requests at once", "insert, ms", "inserts that failed", "modify, ms", "modifies that failed"],
    stores.flatMap(({ insert, label, modify }) =>
      insert.rows.map((row, at) => [
        at === 0 ? label : "",
        row.size.toLocaleString("en-US"),
        spread(millis(row.wallMicros)),
        failures(row),
        spread(millis(modify.rows[at].wallMicros)),
        failures(modify.rows[at])
      ])
    )
  )
]

const millis = ({ median, q1, q3 }) => ({ median: median / 1000, q1: q1 / 1000, q3: q3 / 1000 })

const growth = (section, folder) => [
  "## Growth",
  measuredAt(section),
  "The first table shows what a commit of one changed value costs when the session holds more keys; the commits run one after "
  + "the other. The second table shows the cookie store, which seals the whole session every time, by the session's bytes.",
  ...(section.redis === undefined
    ? []
    : [chart("growth", "CPU microseconds of a commit by the number of keys", folder)]),
  table(
    ["keys", "Redis: client, µs", "Redis: server, µs", "memory, µs"],
    section.memory.map((row, at) => [
      row.size.toLocaleString("en-US"),
      spread(section.redis?.[at].cpuMicros),
      spread(section.redis?.[at].serverCpuMicros),
      spread(row.cpuMicros)
    ])
  ),
  chart("growth-cookie", "CPU microseconds of a load and a commit of the cookie store by bytes", folder),
  table(
    ["bytes in the cookie store", "load + commit, µs"],
    section.cookie.map(({ cpuMicros, size }) => [size.toLocaleString("en-US"), spread(cpuMicros)])
  ),
  `A straight line explains ${number(section.cookieLine.explained * 100)} % of the cookie store's cost: `
  + `${number(section.cookieLine.intercept)} µs and ${
    number(section.cookieLine.slope * 1000)
  } µs for each 1,000 bytes.`,
  ...(section.waiters === undefined ? [] : waiters(section.waiters, folder))
]

/** Whose code V8's profilers found, in the order of the tables. */
const owners = {
  session: "effect-session",
  maps: "the maps of Effect 3's fibers (`FiberRefs`, `Context`)",
  effect: "Effect's runtime, the steps of the fiber",
  platform: "Effect's packages for HTTP and SQL",
  driver: "the driver of the database",
  peer: "other frameworks and session libraries",
  app: "the handler",
  node: "Node.js",
  gc: "garbage collector"
}

const together = (sums) => Object.keys(owners).reduce((total, owner) => total + sums[owner], 0)

/** The owners that have a part worth showing in any of the profiles. */
const present = (profiles) =>
  Object.entries(owners).filter(([owner]) => profiles.some((sums) => Math.abs(sums[owner]) >= 0.005))

/** In per cent. */
export const shares = (sums) =>
  Object.fromEntries(Object.keys(owners).map((owner) => [owner, (sums[owner] / together(sums)) * 100]))

/** A row for an owner, and a column for each profile. */
const ownersOf = (head, labels, profiles) =>
  table(
    [head, ...labels],
    present(profiles).map(([owner, label]) => [label, ...profiles.map((sums) => number(sums[owner]))])
  )

/** A row for each profile, and a column for an owner. */
const wholeRequests = (profiles) => {
  const shown = present(profiles.map(({ micros }) => micros))
  return table(
    ["a whole request, % of its time", ...shown.map(([, label]) => label)],
    profiles.map(({ label, micros, ours }) => [
      emphasise(ours, label),
      ...shown.map(([owner]) => number(shares(micros)[owner]))
    ])
  )
}

const profiled = { untouchedMemory: "untouched", countMemory: "memory", countCookie100: "cookie, 100 B" }

/** What a session adds to a request with `RequestId` alone. */
const added = ({ effect, node, profiles }) => {
  const above = (name, what, unit = 1) =>
    Object.fromEntries(
      Object.keys(owners).map((
        owner
      ) => [owner, (profiles[name][what][owner] - profiles.requestId[what][owner]) / unit])
    )
  return ownersOf(
    `added to a request, Effect ${effect}, Node ${node.slice(1)}`,
    Object.values(profiled).flatMap((label) => [`${label}, % of the time`, "KB"]),
    Object.keys(profiled).flatMap((name) => [shares(above(name, "micros")), above(name, "bytes", 1024)])
  )
}

const readAndWrite = (name, driver, profiles) =>
  ownersOf(
    `a read and a write on ${name}, % of the time`,
    [`${driver} by hand`, "Effect's `SqlClient` by hand", "**effect-session**"],
    ["raw", "client", "ours"].map((id) => shares(profiles[id]))
  )

const profiles = (section) => [
  "## Whose code takes the time",
  measuredAt(section),
  "These tables come from V8's sampling profilers. They tell where the time goes, and not how much it is: each column or row "
  + "is one run, for which the other tables of this page have the times. Native code counts for the code that calls it; "
  + `Node.js holds the HTTP parser, the sockets and node:crypto. The first table is about whole requests over HTTP on Node ${
    section.node.slice(1)
  }, with the handler that counts.`,
  wholeRequests(section.http),
  "The next tables show what a session adds in process, in time and in memory: a request with `RequestId` and a session "
  + "(untouched, counting in memory, counting in a cookie) minus the request with `RequestId` alone. These are differences of "
  + "two profiles, so small values are noise.",
  ...section.inprocess.map(added),
  "What it would take to allocate less: on Effect 3, a handler receives a service through a change of the fiber's context, "
  + "and each change copies the context's map and the fiber's map of `FiberRef`s. The session's middleware makes one such "
  + "change, which is the least that is possible without changing Effect itself. Most of what remains are the steps of the "
  + "fiber for `get`, `insert` and the commit.",
  "The last tables are about one read and one write in SQL, with 32 at once:",
  readAndWrite("SQLite", "better-sqlite3", section.sql.sqlite),
  ...(section.sql.postgres === undefined ? [] : [readAndWrite("PostgreSQL", "pg", section.sql.postgres)])
]

export const parts = { codec, http, inprocess, memory, redis, sql, growth, profiles }
