/**
 * Shows whose code takes the time of one read + one write: `node profile.js <database> <address> <table> <each>`.
 */
import { answer } from "../harness/answer.js"
import { each, startTiming } from "../harness/profile.js"
import { inFlight } from "../harness/workers.js"
import { open } from "./contestants.js"

const [name, address, table] = process.argv.slice(2)
const times = Number(process.argv[5])

const { close, contestants } = await open(name, address, table)
const profiles = {}
for (const { id, run } of contestants) {
  await run(times)
  const stop = await startTiming()
  await run(times)
  profiles[id] = each(await stop(), inFlight * times)
}
await close()
answer(profiles)
