/**
 * Measures what a commit of one changed value costs as the session grows:
 * `node child.js <redis url or -> <cycles> <each>`.
 */
import { Effect } from "effect"
import { Redis } from "ioredis"
import * as apps from "../effect/apps.js"
import * as servers from "../effect/servers.js"
import { answer } from "../harness/answer.js"
import { median } from "../harness/statistics.js"

const url = process.argv[2]
const [cycles, each] = process.argv.slice(3).map(Number)

const now = () => Number(process.hrtime.bigint()) / 1000

/** CPU and wall microseconds of a commit; the commits run one after the other. `serverCpu` reads the CPU time of Redis. */
const timed = async (commit, times, serverCpu) => {
  const server = await serverCpu?.()
  const cpu = process.cpuUsage()
  const start = now()
  await Effect.runPromise(Effect.repeatN(Effect.suspend(commit), times - 1))
  const wallMicros = (now() - start) / times
  const { system, user } = process.cpuUsage(cpu)
  return {
    wallMicros,
    cpuMicros: (user + system) / times,
    serverCpuMicros: server === undefined ? undefined : (await serverCpu() - server) / times
  }
}

const values = (count) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, `value-${i}-${"v".repeat(20)}`]))

/** Changes one key of a loaded session that has this many keys. */
const manyKeys = async (store, keys) => {
  const token = await Effect.runPromise(servers.create(store, values(keys)))
  const loaded = await Effect.runPromise(servers.load(store, token))
  if (loaded._tag !== "Found" || loaded.session.data.size !== keys) {
    throw new Error(`expected a session of ${keys} keys`)
  }
  let n = 0
  const commit = () =>
    Effect.map(servers.commit(store, loaded, { key0: `changed-${++n}` }), (saved) => {
      if (saved._tag !== "Saved") throw new Error(`expected the commit to be Saved, but it is ${saved._tag}`)
    })
  const prove = async () => {
    const after = await Effect.runPromise(servers.load(store, token))
    if (after.session.data.size !== keys || after.session.data.get("key0") !== JSON.stringify(`changed-${n}`)) {
      throw new Error("the last commit is not in the store")
    }
  }
  return { commit, prove }
}

/** Loads and commits a sealed session of this many bytes. */
const manyBytes = async (store, bytes) => {
  let token = await Effect.runPromise(servers.create(store, { text: "t".repeat(bytes), count: 0 }))
  const commit = () =>
    Effect.flatMap(servers.load(store, token), (loaded) => {
      const count = JSON.parse(loaded.session.data.get("count")) + 1
      return Effect.map(servers.commit(store, loaded, { count }), (saved) => {
        token = saved.token
      })
    })
  const prove = async () => {
    const count = await Effect.runPromise(servers.countOf(store, token))
    if (!(count > 0)) throw new Error(`the counter in the sealed session shows ${count}`)
  }
  return { commit, prove }
}

const measure = async (subjects, times, serverCpu) => {
  for (const { commit } of subjects) await timed(commit, Math.max(times, 200))
  const samples = subjects.map(() => [])
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (let i = 0; i < subjects.length; i++) {
      const at = (i + cycle) % subjects.length
      samples[at].push(await timed(subjects[at].commit, times, serverCpu))
    }
  }
  for (const { prove } of subjects) await prove()
  return subjects.map(({ size }, i) => ({
    size,
    cpuMicros: median(samples[i].map(({ cpuMicros }) => cpuMicros)),
    wallMicros: median(samples[i].map(({ wallMicros }) => wallMicros)),
    serverCpuMicros: serverCpu === undefined ? undefined : median(samples[i].map((sample) => sample.serverCpuMicros))
  }))
}

const over = async (layer, sizes, make, times, serverCpu) => {
  const { close, store } = await servers.open(layer)
  const subjects = []
  for (const size of sizes) subjects.push({ size, ...(await make(store, size)) })
  const measured = await measure(subjects, times, serverCpu)
  await close()
  return measured
}

const keys = [1, 10, 100, 1000]

const overRedis = async () => {
  const client = new Redis(url)
  const serverCpu = async () => {
    const info = await client.info("cpu")
    return (Number(/used_cpu_user:([\d.]+)/.exec(info)[1]) + Number(/used_cpu_sys:([\d.]+)/.exec(info)[1])) * 1e6
  }
  return await over(await servers.redis(url), keys, manyKeys, each, serverCpu)
}

answer({
  redis: url === "-" ? undefined : await overRedis(),
  memory: await over(apps.layerMemory, keys, manyKeys, each * 4),
  cookie: await over(apps.layerCookie, [100, 500, 1000, 1500, 2000, 2500, 2800], manyBytes, each * 4)
})
