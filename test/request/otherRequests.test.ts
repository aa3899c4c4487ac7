/** A request whose session other requests change between its load and its own changes. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { SessionBackend } from "effect-session"
import { A, B, C, increment } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

/** A backend that relies on `base` as far as the contract allows: it writes `base` and the patch over the record of that version. */
const overwriting = (backend: SessionBackend.SessionBackendService): SessionBackend.SessionBackendService => ({
  ...backend,
  update: (id, patch, now, ifVersion, base) =>
    Effect.flatMap(
      base === undefined || (ifVersion !== undefined && ifVersion !== base.version)
        ? Effect.succeed({ _tag: "Conflict" as const })
        : backend.update(
          id,
          {
            ...patch,
            clear: true,
            remove: new Set(),
            set: new Map([...patch.clear ? [] : base.data, ...patch.set].filter(([key]) => !patch.remove.has(key)))
          },
          now,
          base.version
        ),
      (updated) => updated._tag === "Conflict" ? backend.update(id, patch, now, ifVersion) : Effect.succeed(updated)
    )
})

describe("what another request writes after the load", () => {
  it.effect("C10: a renewal after a commit copies what another request wrote before that commit", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "of another request"))
          yield* session.insert(C, "c")
          yield* session.commit
          yield* session.renew
        }))
      expect(renewed.token).not.toBe(token)
      expect(yield* stored(renewed.token!)).toEqual({ a: "\"a\"", b: "\"of another request\"", c: "\"c\"" })
    }))

  it.effect("C9: modify after a commit starts from the count that another request stored before that commit", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, increment)
          yield* session.insert(C, "c")
          yield* session.commit
          expect(yield* increment(session)).toBe(2)
        }))
      expect((yield* stored(token))?.["count"]).toBe("2")
    }))

  it.effect("S3: two commits of one request keep another request's key, even if the backend writes on top of `base`", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({}, overwriting)
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "of another request"))
          yield* session.insert(C, "c")
          yield* session.commit
          yield* session.insert(C, "d")
        }))
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"of another request\"", c: "\"d\"" })
    }))

  it.effect("C7: after a commit the request still sees what it read and what it wrote, each key once", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.get(A)
          yield* visit(token, (other) => other.insert(B, "b"))
          yield* session.insert(C, "c")
          yield* session.commit
          expect(yield* session.get(A)).toEqual(Option.some("a"))
          expect(yield* session.get(C)).toEqual(Option.some("c"))
          expect([...yield* session.keys].sort()).toEqual(["a", "b", "c"])
        }))
    }))
})
