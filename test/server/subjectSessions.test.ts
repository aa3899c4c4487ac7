import { describe, expect, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { SessionConfig } from "effect-session"
import * as records from "../../src/internal/contract/records.js"
import * as memory from "../../src/internal/memory/backend.js"
import * as sessionsOf from "../../src/internal/server/subjectSessions.js"

describe("sessions that are renewed while they are revoked", () => {
  /** A subject whose session is renewed after each of the given number of looks at the list. */
  const renewedOften = (times: number) => {
    const { backend, index } = memory.make({ maxSessions: 100, maxBytes: 2 ** 20 })
    const now = Date.now()
    const record = { ...records.session(now), owner: records.ownerOf("ada", now) }
    let current = records.freshId()
    let renewals = 0
    const renewing = {
      ...index,
      list: (subject: string, now: number) =>
        Effect.zipLeft(
          Effect.suspend(() => index.list(subject, now)),
          Effect.suspend(() => {
            if (renewals === times) return Effect.void
            renewals++
            const [old, next] = [current, records.freshId()]
            current = next
            return Effect.zipRight(index.insert(next, record, now, undefined), backend.remove(old, undefined, now))
          })
        )
    }
    const config = Either.getOrThrow(SessionConfig.resolve({}))
    const sessions = sessionsOf.make(config, backend, renewing)
    const alive = Effect.suspend(() => Effect.map(index.list("ada", now), (entries) => entries.length))
    return { sessions, alive, start: Effect.suspend(() => index.insert(current, record, now, undefined)) }
  }

  it.live("S2: revokeAll continues until the subject has no session left", () =>
    Effect.gen(function*() {
      const { alive, sessions, start } = renewedOften(20)
      yield* start
      expect(yield* sessions.revokeAll("ada")).toBe(1)
      expect(yield* alive).toBe(0)
    }))

  it.live("S2: revokeAll fails with a typed error, and does not return a number, when it cannot finish", () =>
    Effect.gen(function*() {
      const { alive, sessions, start } = renewedOften(Infinity)
      yield* start
      const error = yield* Effect.flip(sessions.revokeAll("ada"))
      expect(error).toMatchObject({ operation: "remove", reason: "Contention" })
      expect(yield* alive).toBe(1)
    }))
})
