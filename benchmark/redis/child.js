/**
 * Measures one read + one write with 32 operations at once. The contestants take turns within one process:
 * `node child.js <url> <cycles> <each> <contestants, with commas>`.
 */
import { Effect } from "effect"
import { Redis } from "ioredis"
import { createClient } from "redis"
import * as servers from "../effect/servers.js"
import { answer } from "../harness/answer.js"
import { median } from "../harness/statistics.js"
import { effects, inFlight, promises } from "../harness/workers.js"
import { cookieLifeSeconds } from "../http/settings.js"

const [url, cycles, each] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])]
const names = process.argv[5].split(",")

const workers = Array.from({ length: inFlight }, (_, worker) => worker)

const raw = async () => {
  const client = new Redis(url)
  const key = (worker) => `benchmark:raw:${worker}`
  for (const worker of workers) await client.set(key(worker), `{"count":0}`, "EX", cookieLifeSeconds)
  const operation = async (worker) => {
    const session = JSON.parse(await client.get(key(worker)))
    session.count++
    await client.set(key(worker), JSON.stringify(session), "EX", cookieLifeSeconds)
  }
  return {
    run: (times) => promises(operation, times),
    count: async (worker) => JSON.parse(await client.get(key(worker))).count,
    stop: () => client.quit()
  }
}

const nodeRedis = async () => {
  const client = createClient({ url })
  await client.connect()
  const key = (worker) => `benchmark:node-redis:${worker}`
  for (const worker of workers) await client.set(key(worker), `{"count":0}`, { EX: cookieLifeSeconds })
  const operation = async (worker) => {
    const session = JSON.parse(await client.get(key(worker)))
    session.count++
    await client.set(key(worker), JSON.stringify(session), { EX: cookieLifeSeconds })
  }
  return {
    run: (times) => promises(operation, times),
    count: async (worker) => JSON.parse(await client.get(key(worker))).count,
    stop: () => client.quit()
  }
}

const connectRedis = async () => {
  const { RedisStore } = await import("connect-redis")
  const client = createClient({ url })
  await client.connect()
  const store = new RedisStore({ client, prefix: "benchmark:connect-redis-store:", ttl: cookieLifeSeconds })
  for (const worker of workers) await store.set(`s${worker}`, { cookie: {}, count: 0 })
  const operation = async (worker) => {
    const session = await store.get(`s${worker}`)
    session.count++
    await store.set(`s${worker}`, session)
  }
  return {
    run: (times) => promises(operation, times),
    count: async (worker) => (await store.get(`s${worker}`)).count,
    stop: () => client.quit()
  }
}

const ours = async (layer) => {
  const { close, store } = await servers.open(await layer(url))
  const tokens = await Effect.runPromise(Effect.forEach(workers, () => servers.create(store, { count: 0 })))
  return {
    run: (times) => effects((worker) => servers.increment(store, tokens[worker]), times),
    count: (worker) => Effect.runPromise(servers.countOf(store, tokens[worker])),
    stop: close
  }
}

const makers = {
  raw,
  ours: () => ours(servers.redis),
  oursNode: () => ours(servers.nodeRedis),
  nodeRedis,
  connectRedis
}
const contestants = []
for (const id of names) contestants.push({ id, ...(await makers[id]()) })

// This warms up the contestants and proves that they count.
for (const { count, id, run } of contestants) {
  await run(each)
  for (const worker of workers) {
    const counted = await count(worker)
    if (counted !== each) throw new Error(`${id}: the counter shows ${counted} after ${each} increments`)
  }
}

const samples = Object.fromEntries(contestants.map(({ id }) => [id, []]))
for (let cycle = 0; cycle < cycles; cycle++) {
  const start = cycle % contestants.length
  for (const { id, run } of [...contestants.slice(start), ...contestants.slice(0, start)]) {
    samples[id].push(await run(each))
  }
}

await Promise.all(contestants.map(({ stop }) => stop()))
answer(
  Object.fromEntries(
    Object.entries(samples).map(([id, each]) => [id, {
      cpuMicros: median(each.map(({ cpuMicros }) => cpuMicros)),
      wallMicros: median(each.map(({ wallMicros }) => wallMicros))
    }])
  )
)
