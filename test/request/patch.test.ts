import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { type SessionBackend, SessionError, SessionKey } from "effect-session"
import { A, B, C } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

const Two = SessionKey.struct({ a: A, b: B })

/** A stage that keeps what is sent to the backend's `update`. */
const watched = () => {
  const sent: Array<{ readonly set: unknown; readonly remove: unknown }> = []
  const stageWithSent = stage({}, (backend) => ({
    ...backend,
    update: (id, patch, ...rest) => {
      sent.push({ set: Object.fromEntries(patch.set), remove: [...patch.remove] })
      return backend.update(id, patch, ...rest)
    }
  } as SessionBackend.SessionBackendService))
  return { ...stageWithSent, sent }
}

describe("a patch of several keys", () => {
  it.effect("C15: it sends what it names, and of a loaded session only what is different", () =>
    Effect.gen(function*() {
      const { begin, sent, visit } = watched()
      const token = yield* begin((session) =>
        session.patch(Two, { a: Option.some("a"), b: Option.some("b") }).pipe(Effect.zipRight(session.insert(C, "c")))
      )
      yield* visit(token, (session) => session.patch(Two, { a: Option.some("a"), b: Option.none() }))
      yield* visit(
        token,
        (session) =>
          Effect.zipRight(session.get(C), session.patch(Two, { a: Option.some("a"), b: Option.some("again") }))
      )
      yield* visit(
        token,
        (session) =>
          Effect.zipRight(session.get(C), session.patch(Two, { a: Option.some("a"), b: Option.some("again") }))
      )
      expect(sent).toEqual([
        { set: { a: "\"a\"" }, remove: ["b"] },
        { set: { b: "\"again\"" }, remove: [] }
      ])
    }))

  it.effect("C15: after the head it is one save, and without a session it fails and changes nothing", () =>
    Effect.gen(function*() {
      const { begin, finish, request, sent, stored } = watched()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* finish(session, token)
      yield* session.patch(Two, { a: Option.some("late"), b: Option.some("b") })
      expect(sent).toEqual([{ set: { a: "\"late\"", b: "\"b\"" }, remove: [] }])
      expect(yield* stored(token)).toEqual({ a: "\"late\"", b: "\"b\"" })
      const anonymous = request(undefined)
      yield* finish(anonymous, undefined)
      expect(yield* Effect.flip(anonymous.patch(Two, { a: Option.some("late") }))).toBeInstanceOf(
        SessionError.SessionClosed
      )
    }))

  it("C15: two properties with one key are refused when the struct is made", () => {
    expect(() => SessionKey.struct({ a: A, again: SessionKey.make("a", Schema.Int) })).toThrow(
      "two properties of the struct have the key \"a\""
    )
  })
})
