/**
 * Measures what a request costs while many requests of one session run at once:
 * `node waitersChild.js <store> <address> <table> <least> <round>`. No request of a batch may change the session before all of
 * them have arrived, so that they all wait for the same session. Each batch size is repeated until at least `least` requests
 * were sent.
 */
import { HttpApp, HttpRouter, HttpServerResponse } from "@effect/platform"
import { Deferred, Effect, FiberId, Layer, Logger, LogLevel, Option, Schema } from "effect"
import * as apps from "../effect/apps.js"
import * as servers from "../effect/servers.js"
import { answer } from "../harness/answer.js"
import * as library from "../harness/library.js"

const { RequestContext, SessionKey } = await library.main()

const [name, address, table] = process.argv.slice(2)
const [least, round] = process.argv.slice(5).map(Number)

const sizes = [10, 100, 1000]
const largest = sizes.at(-1)
const warmRequests = 3 * least
const warmMicros = 2e6

const keys = Array.from({ length: largest }, (_, at) => SessionKey.make(`key${at}`, Schema.Number))
const fillers = Array.from({ length: largest / 2 }, (_, at) => SessionKey.make(`filler${at}`, Schema.Number))
const Count = SessionKey.make("count", Schema.Number)

const patienceMillis = 10_000

/**
 * Holds the requests of a batch until all of them have arrived; a request that failed before it arrived is not waited for
 * longer than ten seconds. Each request receives a number of its own.
 */
const makeGate = () => {
  let missing = 0
  let open = Deferred.unsafeMake(FiberId.none)
  let timer
  const expect = (count) => {
    const opening = Deferred.unsafeMake(FiberId.none)
    clearTimeout(timer)
    timer = setTimeout(() => Deferred.unsafeDone(opening, Effect.void), patienceMillis)
    missing = count
    open = opening
  }
  const pass = Effect.suspend(() => {
    const place = --missing
    if (place === 0) Deferred.unsafeDone(open, Effect.void)
    return Effect.as(Deferred.await(open), place)
  })
  return { expect, pass }
}

const gate = makeGate()

const text = (value) => HttpServerResponse.text(String(value))

/** How many values the next session begins with. */
let filled = 0

const fill = Effect.suspend(() =>
  Effect.as(
    Effect.forEach(fillers.slice(0, filled), (key, at) => RequestContext.insert(key, at), { discard: true }),
    text(filled)
  )
)

const insert = Effect.flatMap(gate.pass, (place) => Effect.as(RequestContext.insert(keys[place], place), text(place)))

const inserted = Effect.map(
  Effect.forEach(keys, (key) => RequestContext.get(key)),
  (values) => text(values.filter(Option.isSome).length)
)

const modify = Effect.flatMap(gate.pass, () =>
  Effect.map(
    RequestContext.modify(Count, (found) => {
      const count = Option.getOrElse(found, () => 0) + 1
      return [count, Option.some(count)]
    }),
    text
  ))

const modified = Effect.map(RequestContext.get(Count), (found) => text(Option.getOrElse(found, () => 0)))

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/fill", fill),
  HttpRouter.get("/insert", insert),
  HttpRouter.get("/inserted", inserted),
  HttpRouter.get("/modify", modify),
  HttpRouter.get("/modified", modified)
)

const stores = {
  memory: () => apps.layerMemory,
  sqlite: servers.sqlite,
  postgres: servers.postgres,
  mariadb: servers.mariadb
}

const layer = Layer.merge(await stores[name](address, table), Logger.minimumLogLevel(LogLevel.None))
const { dispose, handler } = HttpApp.toWebHandlerLayer(apps.withSession(app), layer)

const send = (path, cookie) =>
  handler(new Request(`http://localhost${path}`, { headers: { "x-request-id": "benchmark", cookie } }))

const expectOk = async (path, cookie) => {
  const response = await send(path, cookie)
  if (response.status !== 200) throw new Error(`${name}: ${path} was answered with ${response.status}`)
  return response
}

const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

/**
 * - `insert`: each request inserts a key of its own. The session begins with as many values as make it hold 500 on average,
 *   however many requests there are: a larger session costs more by itself.
 * - `modify`: each request adds one to the only value of a session.
 */
const kinds = {
  insert: {
    begin: (size) => {
      filled = Math.max(1, (largest - size) / 2)
      return expectOk("/fill", "")
    },
    change: "/insert",
    result: "/inserted",
    before: 0
  },
  modify: {
    begin: () => {
      gate.expect(1)
      return expectOk("/modify", "")
    },
    change: "/modify",
    result: "/modified",
    before: 1
  }
}

const now = () => Number(process.hrtime.bigint()) / 1000

/** Runs one batch on a new session. The change of every request that was answered with 200 must be in it afterwards. */
const runBatch = async ({ before, begin, change, result }, size) => {
  const cookie = cookieOf(await begin(size))
  gate.expect(size)
  const cpu = process.cpuUsage()
  const start = now()
  const statuses = await Promise.all(
    Array.from({ length: size }, () => send(change, cookie).then(({ status }) => status))
  )
  const wallMicros = now() - start
  const { system, user } = process.cpuUsage(cpu)
  const failed = statuses.filter((status) => status !== 200).length
  const changed = Number(await (await expectOk(result, cookie)).text()) - before
  if (changed < size - failed || changed > size) {
    throw new Error(
      `${name}: ${size - failed} of ${size} requests to ${change} succeeded, but ${changed} changes are stored`
    )
  }
  return { wallMicros, cpuMicros: user + system, failed }
}

const measure = async (kind, size) => {
  const batches = []
  do batches.push(await runBatch(kind, size))
  while (batches.length * size < least)
  const sum = (key) => batches.reduce((total, each) => total + each[key], 0)
  const requests = batches.length * size
  return {
    size,
    requests,
    failed: sum("failed"),
    wallMicros: sum("wallMicros") / requests,
    cpuMicros: sum("cpuMicros") / requests
  }
}

/** Sends requests until the engine has optimised what it will, or for two seconds. */
const warm = async (kind) => {
  const limit = now() + warmMicros
  for (let requests = 0; requests < warmRequests && now() < limit; requests += 50) await runBatch(kind, 50)
}

const measured = {}
for (const [id, kind] of Object.entries(kinds)) {
  await warm(kind)
  const start = round % sizes.length
  const rows = []
  for (const size of [...sizes.slice(start), ...sizes.slice(0, start)]) rows.push(await measure(kind, size))
  measured[id] = rows.sort((a, b) => a.size - b.size)
}

await dispose()
answer(measured)
