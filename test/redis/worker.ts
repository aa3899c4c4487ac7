/**
 * One of several processes that work on one session: `node --import tsx worker.ts <job as JSON>`.
 * Waits for a line on its standard input, so that all start together.
 */
import { SessionStore } from "effect-session"
import { SessionBackend } from "effect-session/SessionBackend"
import * as Store from "effect-session/SessionStore/Redis"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { once } from "node:events"
import { now, patch, stored } from "./records.js"

export interface Job {
  readonly kind: "compare-and-set" | "modify" | "keys"
  readonly times: number
  readonly name: string
  readonly url: string
  readonly prefix: string
  readonly id: string
  readonly token: string
}

const job = JSON.parse(process.argv[2]) as Job

const compareAndSet = Effect.gen(function*() {
  const backend = yield* SessionBackend
  const attempt: Effect.Effect<void> = Effect.gen(function*() {
    const record = yield* stored(backend, job.id)
    const count = String(Number(record.data.get("count")) + 1)
    const updated = yield* backend.update(job.id, patch({ count }), now, record.version)
    if (updated._tag === "Conflict") yield* attempt
    else if (updated._tag !== "Updated") yield* Effect.dieMessage(updated._tag)
  }).pipe(Effect.orDie)
  yield* Effect.all(Array.makeBy(job.times, () => attempt), { concurrency: 4 })
})

const modify = Effect.gen(function*() {
  const store = yield* SessionStore.SessionStore
  const increment = store.modify(job.token, undefined, (session) => {
    const count = Number(session.data.get("count")) + 1
    return Effect.succeed([count, Option.some(patch({ count: String(count) }))] as const)
  })
  const modified = yield* Effect.all(Array.makeBy(job.times, () => increment), { concurrency: 100 })
  for (const { _tag } of modified) if (_tag !== "Modified") yield* Effect.dieMessage(_tag)
})

const keys = Effect.gen(function*() {
  const backend = yield* SessionBackend
  yield* Effect.forEach(Array.range(1, job.times), (i) =>
    Effect.flatMap(
      backend.update(job.id, patch({ [`${job.name} ${i}`]: String(i) }), now),
      (updated) => updated._tag === "Updated" ? Effect.void : Effect.dieMessage(updated._tag)
    ), { concurrency: 50 })
})

const options: Store.Options = {
  redis: { url: job.url },
  prefix: job.prefix,
  expiry: "400 days",
  storeTimeout: "60 seconds",
  cleanupInterval: Infinity
}

await Effect.gen(function*() {
  process.stdout.write("ready\n")
  yield* Effect.promise(() => once(process.stdin, "data"))
  yield* { "compare-and-set": compareAndSet, modify, keys }[job.kind]
}).pipe(
  Effect.provide(Store.layer(options)),
  Effect.provide(Store.layerBackend(options)),
  Effect.runPromise
)
process.exit(0)
