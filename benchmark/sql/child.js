/**
 * Measures one read + one write with 32 operations at once; effect-session, the client by hand and the raw driver take turns:
 * `node child.js <database> <address> <table> <cycles> <each>`.
 */
import { answer } from "../harness/answer.js"
import { median } from "../harness/statistics.js"
import { inFlight } from "../harness/workers.js"
import { open } from "./contestants.js"

const [name, address, table] = process.argv.slice(2)
const [cycles, each] = process.argv.slice(5).map(Number)

const { close, contestants } = await open(name, address, table)
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

await close()
answer(
  Object.fromEntries(
    Object.entries(samples).map(([id, list]) => [id, {
      cpuMicros: median(list.map(({ cpuMicros }) => cpuMicros)),
      wallMicros: median(list.map(({ wallMicros }) => wallMicros))
    }])
  )
)
