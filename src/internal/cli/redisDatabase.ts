/**
 * The sessions in Redis.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Backend from "../redis/backend.js"
import { Commands } from "../redis/commands.js"
import { connect } from "../redis/connection.js"
import { readState } from "../redis/record.js"
import * as Index from "../redis/subjectIndex.js"
import type { Database } from "./opened.js"

const batch = 500

/** A session's key is the prefix and an id; everything else below the prefix is longer. */
const isSession = (key: string, prefix: string): boolean => /^[\w-]{43}$/.test(key.slice(prefix.length))

/** A prefix may hold what means something in a pattern. */
const pattern = (prefix: string): string => `${prefix.replace(/[[\]*?\\^]/g, "\\$&")}*`

export const open = (
  url: Redacted.Redacted<string>,
  prefix: string
): Effect.Effect<Database, unknown, Scope.Scope> =>
  Effect.map(connect({ url }), ({ client, watch }) => {
    const commands = new Commands(client, watch)
    const count = async (now: number) => {
      const seen = new Set<string>() // SCAN may return a key more than once
      let [all, signedIn] = [0, 0]
      let cursor = "0"
      do {
        const [next, keys] = await client.scan(cursor, "MATCH", pattern(prefix), "COUNT", batch)
        cursor = next
        const ids = keys.filter((key) => isSession(key, prefix) && !seen.has(key))
        for (const key of ids) seen.add(key)
        const pipeline = client.pipeline()
        for (const key of ids) pipeline.hmget(key, "s", "o")
        for (const [error, fields] of await pipeline.exec() ?? []) {
          if (error !== null) continue // a key that is no hash is no session
          const [state, subject] = fields as ReadonlyArray<string | null>
          if (state === null || readState(state, now)._tag !== "Live") continue
          all++
          if (subject !== null) signedIn++
        }
      } while (cursor !== "0")
      return { all, signedIn }
    }
    return {
      backend: Backend.make(commands, prefix),
      index: Index.make(commands, prefix),
      removesExpired: false,
      count: (now) => Effect.tryPromise({ try: () => count(now), catch: (error) => error })
    }
  })
