/** One of several processes that work on one session. It waits for a line on its standard input, so that all start together. */
import { Effect, Option } from "effect"
import { SessionBackend, type SessionBackendService } from "effect-session/SessionBackend"
import { once } from "node:events"
import { patch } from "../../src/internal/contract/records.js"
import { backendAt, type Place, storeAt } from "../support/storeAt.js"
import { serve } from "./app.js"

export type Job =
  /** sends a POST request to every path, all at once */
  | { readonly place: Place; readonly cookie: string; readonly paths: ReadonlyArray<string> }
  /** adds one to the record's count, so many times, four at once */
  | { readonly place: Place; readonly id: string; readonly increments: number }

const job = JSON.parse(process.argv[2]) as Job

const start = async () => {
  process.stdout.write("ready\n")
  await once(process.stdin, "data")
}

const compareAndSet = (backend: SessionBackendService, id: string): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const record = Option.getOrThrow(yield* backend.find(id, Date.now()))
    if ("_tag" in record) return yield* Effect.dieMessage(record._tag)
    const count = String(Number(record.data.get("count") ?? "0") + 1)
    const updated = yield* backend.update(id, patch({ set: new Map([["count", count]]) }), Date.now(), record.version)
    if (updated._tag === "Conflict") yield* compareAndSet(backend, id)
    else if (updated._tag !== "Updated") yield* Effect.dieMessage(updated._tag)
  })

if ("paths" in job) {
  const { dispose, request } = await serve(storeAt(job.place))
  await request("GET", "/user", job.cookie)
  await start()
  const responses = await Promise.all(job.paths.map((path) => request("POST", path, job.cookie)))
  const failed = responses.filter(({ status }) => status !== 200)
  if (failed.length > 0) throw new Error(`${failed.length} requests failed, the first with ${failed[0].status}`)
  await dispose()
} else {
  await Effect.gen(function*() {
    const backend = yield* SessionBackend
    yield* Effect.promise(start)
    const increment = compareAndSet(backend, job.id)
    yield* Effect.all(Array.from({ length: job.increments }, () => increment), { concurrency: 4, discard: true })
  }).pipe(Effect.provide(backendAt(job.place)), Effect.runPromise)
}
process.exit(0)
