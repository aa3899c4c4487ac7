/**
 * Measures one read + one write with 32 operations at once; effect-session, the client by hand and the raw driver take turns:
 * `node child.js <database> <address> <table> <cycles> <each>`.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as servers from "../effect/servers.js"
import { answer } from "../harness/answer.js"
import { median } from "../harness/statistics.js"
import { effects, inFlight, promises } from "../harness/workers.js"
import { databases } from "./databases.js"

const [name, address, table] = process.argv.slice(2)
const [cycles, each] = process.argv.slice(5).map(Number)
const database = databases[name]

const { close, store } = await servers.open(await database.layer(address, table))
const create = () =>
  Effect.runPromise(Effect.forEach(Array.from({ length: inFlight }), () => servers.create(store, { count: 0 })))

const tokens = await create()
const ours = {
  id: "ours",
  run: (times) => effects((worker) => servers.increment(store, tokens[worker]), times),
  count: (worker) => Effect.runPromise(servers.countOf(store, tokens[worker]))
}

const idsOf = async () => (await create()).map((token) => createHash("sha256").update(token).digest("base64url"))

const ids = await idsOf()
const driver = database.raw(address, table)
const raw = {
  id: "raw",
  run: (times) => promises((worker) => driver.increment(ids[worker]), times),
  count: (worker) => driver.count(ids[worker])
}

const clientIds = await idsOf()
const byClient = await database.client(address, table)
const client = {
  id: "client",
  run: (times) => effects((worker) => byClient.increment(clientIds[worker]), times),
  count: (worker) => byClient.count(clientIds[worker])
}

const contestants = [raw, client, ours]
for (const { count, id, run } of contestants) {
  await run(each)
  for (let worker = 0; worker < inFlight; worker++) {
    const counted = await count(worker)
    if (counted !== each) throw new Error(`${id}: the counter shows ${counted} after ${each} increments`)
  }
}

const samples = { raw: [], client: [], ours: [] }
for (let cycle = 0; cycle < cycles; cycle++) {
  const start = cycle % contestants.length
  for (const { id, run } of [...contestants.slice(start), ...contestants.slice(0, start)]) {
    samples[id].push(await run(each))
  }
}

await driver.stop()
await byClient.stop()
await close()
answer(
  Object.fromEntries(
    Object.entries(samples).map(([id, list]) => [id, {
      cpuMicros: median(list.map(({ cpuMicros }) => cpuMicros)),
      wallMicros: median(list.map(({ wallMicros }) => wallMicros))
    }])
  )
)
