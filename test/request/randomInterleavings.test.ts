/** Operations of concurrent fibers in a random order: 150 seeds each, and every failure names its seed. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Schema } from "effect"
import { SessionError, SessionKey } from "effect-session"
import { errorOf } from "../../src/internal/edition/cause.js"
import { A, B, C, increment } from "../support/sessionKeys.js"
import { restless, seeded, stage } from "../support/stage.js"

/**
 * One request with three fibers. Each has a key of its own and knows what that key must hold. They also commit, renew, sign
 * in and set an expiry, before and after the response's head, and some commits are interrupted.
 */
const ownKeys = (seed: number) =>
  Effect.gen(function*() {
    const below = seeded(seed)
    const { begin, finish, request, stats, stored } = stage({ expiry: "1 hour" }, restless(below))
    const token = yield* begin((session) => session.insert(A, "stays"))
    const session = request(token)
    const pause = Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), below(6)))
    const expected: Record<string, string | undefined> = { a: "\"stays\"" }

    const fiber = (name: string) =>
      Effect.gen(function*() {
        const key = SessionKey.make(name, Schema.Int)
        let mine: number | undefined
        for (let step = 0; step < 12; step++) {
          yield* pause
          const next = below(100)
          switch (below(9)) {
            case 0:
            case 1:
              yield* session.insert(key, next)
              mine = next
              break
            case 2:
            case 3:
              expect([seed, yield* session.modify(key, (has) => [Option.getOrUndefined(has), Option.some(next)])])
                .toEqual([seed, mine])
              mine = next
              break
            case 4:
              expect([seed, Option.getOrUndefined(yield* session.remove(key))]).toEqual([seed, mine])
              mine = undefined
              break
            case 5: {
              const committing = yield* Effect.fork(session.commit)
              yield* pause
              yield* next < 50 ? Fiber.interrupt(committing) : Fiber.join(committing)
              break
            }
            case 6:
              yield* Effect.ignore(
                next < 30 ? session.bind("ada") : next < 70 ? session.renew : session.setExpiry("2 hours")
              )
              break
            default:
              expect([seed, Option.getOrUndefined(yield* session.get(key))]).toEqual([seed, mine])
          }
          expected[name] = mine === undefined ? undefined : String(mine)
        }
      })

    const fibers = yield* Effect.forEach(["one", "two", "three"], (name) => Effect.fork(fiber(name)))
    yield* Effect.repeatN(Effect.yieldNow(), below(150))
    const { token: last } = yield* finish(session, token)
    yield* Effect.forEach(fibers, Fiber.join)
    expect([seed, yield* stored(last!)]).toEqual([seed, JSON.parse(JSON.stringify(expected))])
    if (last !== token) expect([seed, yield* stored(token)]).toEqual([seed, undefined])
    // a renewal leaves no record behind
    expect([seed, stats.sessions()]).toEqual([seed, 1])
  })

/** A request whose fibers call every operation, while another request signs out. */
const signOut = (seed: number) =>
  Effect.gen(function*() {
    const below = seeded(seed)
    const { begin, finish, request, stats, stored, visit } = stage({ expiry: "1 hour" }, restless(below))
    const token = yield* begin((session) => session.insert(A, "of the session that ends"))
    const session = request(token)
    const pause = Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), below(6)))
    const fiber = Effect.gen(function*() {
      for (let step = 0; step < 8; step++) {
        yield* pause
        yield* [
          session.get(A),
          session.insert(B, "later"),
          increment(session),
          session.remove(C),
          session.commit,
          session.clear,
          Effect.ignore(session.setExpiry("2 hours"))
        ][below(7)]
      }
    })
    const signingOut = yield* Effect.fork(
      visit(token, (other) =>
        pause.pipe(
          Effect.zipRight(pause),
          Effect.zipRight(below(2) === 0 ? Effect.void : Effect.asVoid(other.get(A))),
          Effect.zipRight(other.flush)
        ))
    )
    const fibers = yield* Effect.all([Effect.fork(fiber), Effect.fork(fiber)])
    yield* Effect.repeatN(Effect.yieldNow(), below(100))
    // after the head the session may have ended: then a change fails with a typed error, and with nothing else
    const ending = yield* Effect.exit(finish(session, token))
    const exits = yield* Effect.forEach(fibers, Fiber.await)
    for (const exit of exits) {
      if (Exit.isFailure(exit)) {
        const error = Option.getOrThrow(Cause.failureOption(exit.cause))
        expect(["SessionClosed", "SessionEnded"]).toContain(error._tag)
      }
    }
    const out = yield* Fiber.join(signingOut)
    expect([seed, out.verdict.cookie._tag, yield* stored(token)]).toEqual([seed, "Remove", undefined])
    const { token: last } = yield* ending
    if (last !== token) {
      expect([seed, yield* stored(last!)]).not.toHaveProperty("1.a")
    }
    expect([seed, stats.sessions()]).toEqual([seed, last === token ? 0 : 1])
  })

/** A store that fails, dies or is interrupted at random, before it acts or after it. */
const failingStore = (seed: number) =>
  Effect.gen(function*() {
    const below = seeded(seed)
    const trouble = (
      operation: "find" | "insert" | "update" | "remove"
    ): Effect.Effect<void, SessionError.SessionStoreError> =>
      Effect.suspend((): Effect.Effect<void, SessionError.SessionStoreError> => {
        const luck = below(30)
        return luck === 0
          ? Effect.fail(SessionError.SessionStoreError.of(operation, "Unavailable"))
          : luck === 1
          ? Effect.die(new Error("of the test"))
          : luck === 2
          ? Effect.interrupt
          : Effect.void
      })
    const { begin, finish, request } = stage({ expiry: "1 hour" }, (backend) => {
      const inner = restless(below)(backend)
      const around = <Args extends Array<unknown>, T>(
        operation: "find" | "insert" | "update" | "remove",
        f: (...args: Args) => Effect.Effect<T, SessionError.SessionStoreError>
      ) =>
      (...args: Args) =>
        begun
          ? trouble(operation).pipe(
            Effect.zipRight(Effect.suspend(() => f(...args))),
            Effect.zipLeft(trouble(operation))
          )
          : f(...args)
      return {
        find: around("find", inner.find),
        insert: around("insert", inner.insert),
        update: around("update", inner.update),
        remove: around("remove", inner.remove),
        removeExpired: inner.removeExpired
      }
    })
    let begun = false
    const token = yield* begin((session) => session.insert(A, "a"))
    begun = true
    const session = request(token)
    const pause = Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), below(6)))
    const fiber = Effect.gen(function*() {
      for (let step = 0; step < 8; step++) {
        yield* pause
        const exit = yield* Effect.exit<unknown, { readonly _tag: string }, never>(
          [
            session.get(A),
            session.insert(B, "b"),
            increment(session),
            session.commit,
            session.renew,
            session.bind("ada"),
            session.setExpiry("2 hours"),
            step === 7 ? session.flush : session.keys
          ][below(8)]
        )
        if (Exit.isFailure(exit)) {
          expect([seed, errorOf(exit.cause) === undefined]).toEqual([seed, false])
          const error = Option.getOrThrow(Cause.failureOption(exit.cause))
          expect(["SessionStoreError", "SessionClosed", "SessionEnded"]).toContain(error._tag)
        }
      }
    })
    const fibers = yield* Effect.all([Effect.fork(fiber), Effect.fork(fiber)])
    yield* Effect.repeatN(Effect.yieldNow(), below(100))
    yield* finish(session, token)
    for (const exit of yield* Effect.forEach(fibers, Fiber.await)) expect([seed, exit]).toEqual([seed, Exit.void])
  })

describe("random interleavings", () => {
  it.live(
    "S2: once a session was signed out, nothing of it is read again, whatever a concurrent request does",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), signOut, { discard: true }),
    60_000
  )

  it.live(
    "M5: a store that fails at any point gives a typed failure and a response, never a defect or a hang",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), failingStore, { discard: true }),
    60_000
  )

  it.live(
    "C7: each fiber of a request sees and keeps its own changes, whatever the other fibers do",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), ownKeys, { discard: true }),
    60_000
  )
})
