/**
 * One of several processes that work on one session: `node --import tsx worker.ts <job as JSON>`.
 * Waits for a line on its standard input, so that all start together.
 */
import { SessionStore } from "effect-session"
import * as Sql from "effect-session/SessionStore/Sql"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { once } from "node:events"
import { client, type Place } from "./place.js"
import { now, patch } from "./records.js"

export interface Job {
  readonly place: Place
  readonly token: string
  readonly name: string
  /** adds one so often, by `modify` */
  readonly increments: number
  /** inserts so many keys of its own, each in a commit that never read */
  readonly keys: number
}

const job = JSON.parse(process.argv[2]) as Job

const work = Effect.gen(function*() {
  const store = yield* SessionStore.SessionStore
  const increment = store.modify(job.token, undefined, (session) => {
    const count = Number(session.data.get("count") ?? "0") + 1
    return Effect.succeed([count, Option.some(patch({ count: String(count) }))] as const)
  })
  const save = (i: number) =>
    store.save({
      base: { token: job.token, session: undefined },
      patch: patch({ [`${job.name} ${i}`]: String(i) }),
      renew: false,
      ifVersion: undefined,
      owner: undefined
    }, now)
  process.stdout.write("ready\n")
  yield* Effect.promise(() => once(process.stdin, "data"))
  const increments = yield* Effect.all(Array.from({ length: job.increments }, () => increment), { concurrency: 100 })
  const saved = yield* Effect.all(Array.from({ length: job.keys }, (_, i) => save(i)), { concurrency: 100 })
  const failed = [
    ...increments.filter(({ _tag }) => _tag !== "Modified"),
    ...saved.filter(({ _tag }) => _tag !== "Saved")
  ]
  if (failed.length > 0) yield* Effect.dieMessage(`${failed.length} were not answered as they should`)
})

const store = Sql.layer({ secure: false, storeTimeout: "60 seconds", cleanupInterval: Infinity })

await Effect.runPromise(Effect.provide(work, Layer.provide(store, client(job.place, 4))))
process.exit(0)
