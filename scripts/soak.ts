/**
 * `npm run soak -- --store=memory --minutes=60`: virtual users on a real server, each answer held against a model of what
 * their sessions must hold.
 *
 * - `--rate=50`: requests a second. `--users=20`. `--seed=1`.
 * - `--heap`: measures the server's heap after a forced collection every minute.
 * - `--snapshots=folder`: writes a heap snapshot after the first minute and one at the end.
 * - `--plant=dropped-save` or `--plant=commit-always`: builds a fault into the server, which the soak must find.
 *
 * Interrupted once (Ctrl-C), it ends early with a report of what it has done so far.
 *
 * Ends with 1, and the history of the person concerned, at the first answer that the model does not allow.
 */
import { parseArgs } from "node:util"
import * as HeapSeries from "./soak/heap.js"
import { run } from "./soak/run.js"
import { names, plants } from "./soak/script.js"

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "memory" },
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "50" },
    users: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    heap: { type: "boolean", default: false },
    snapshots: { type: "string" },
    plant: { type: "string" }
  }
})

const oneOf = <A extends string>(all: ReadonlyArray<A>, option: string, value: string): A => {
  const found = all.find((each) => each === value)
  if (found === undefined) throw new Error(`--${option} must be one of ${all.join(", ")}`)
  return found
}

const positive = (option: "minutes" | "rate" | "users" | "seed"): number => {
  const value = Number(values[option])
  if (!(value > 0)) throw new Error(`--${option} must be a positive number`)
  return value
}

const print = (line: string): void => console.log(line)

const interrupted = new AbortController()
process.once("SIGINT", () => interrupted.abort())

const store = oneOf(names, "store", values.store)
const started = Date.now()
print(`soak of the ${store} store, started ${new Date(started).toISOString()}, seed ${values.seed}`)

const { aborted, counts, divergence, heap, requests, sessions, storeFailures } = await run({
  store,
  minutes: positive("minutes"),
  rate: positive("rate"),
  users: positive("users"),
  seed: positive("seed"),
  heap: values.heap,
  snapshots: values.snapshots,
  plant: values.plant === undefined ? undefined : oneOf(plants, "plant", values.plant),
  print,
  signal: interrupted.signal
})

if (divergence !== undefined) {
  for (const line of divergence.history) print(line)
  print(`divergence at ${divergence.what}`)
}
if (heap.length > 0) print(HeapSeries.verdict(heap))
const listed = (all: ReadonlyMap<string, number>): string =>
  [...all].sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) => `${count} ${name}`).join(", ")
print(`requests whose client had gone before the response came, on the server: ${listed(aborted)}`)
const minutes = ((Date.now() - started) / 60_000).toFixed(1)
print(
  `${store}, ${minutes} minutes, ${requests} requests, ${sessions} sessions: ${
    listed(counts)
  }; ${storeFailures} people began anew because the store did not answer; `
    + (divergence === undefined ? "no divergence" : "one divergence")
)
process.exit(divergence === undefined ? 0 : 1)
