import { HttpApp, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  Cause,
  Context,
  Duration,
  Effect,
  Either,
  Exit,
  Fiber,
  Layer,
  Logger,
  LogLevel,
  Option,
  Runtime,
  Schema,
  TestClock
} from "effect"
import {
  KeyRing,
  RequestContext,
  RequestId,
  type SessionBackend,
  SessionConfig,
  SessionError,
  SessionKey,
  SessionStore
} from "effect-session"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import * as RandomPool from "../src/internal/codec/random.js"
import * as cookieStore from "../src/internal/cookie/cookieStore.js"
import { RequestSession } from "../src/internal/request/requestSession.js"
import * as Token from "../src/internal/server/token.js"
import { cookieOf, countingStore } from "./support/counting.js"
import { listen, type Log, serve } from "./support/server.js"
import { restless, seeded, settle, stage } from "./support/stage.js"

const A = SessionKey.make("a", Schema.String)
const B = SessionKey.make("b", Schema.String)
const C = SessionKey.make("c", Schema.String)
const Count = SessionKey.make("count", Schema.Int)

const increment = (session: RequestSession) =>
  session.modify(Count, (count) => {
    const next = Option.getOrElse(count, () => 0) + 1
    return [next, Option.some(next)]
  })

/** A backend that trusts `base` as far as the contract lets it: it writes its text over the record of base's version. */
const trustful = (backend: SessionBackend.SessionBackendService): SessionBackend.SessionBackendService => ({
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

/** Keeps what is logged, with its level in front. */
const logged = (lines: Array<string>) =>
  Layer.merge(
    Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${JSON.stringify(message)}`))
    ),
    Logger.minimumLogLevel(LogLevel.All)
  )

describe("what another request wrote since the load", () => {
  it.effect("C10: renew after a commit copies what another request wrote before that commit", () =>
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

  it.effect("C9: modify after a commit counts on what another request counted before that commit", () =>
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

  it.effect("S3: two commits of a request over a backend that builds on `base` lose no other request's key", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({}, trustful)
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

  it.effect("C7: after a commit the request sees what it saw, what it wrote, and nothing twice", () =>
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

describe("fibers of one request, in each other's way", () => {
  it.effect("C7: modify beside a renewal of the same request does not lose the session", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.renew
      // the old record is gone, the answer is on its way
      const removing = hold("remove", "after")
      const committing = yield* Effect.fork(session.commit)
      yield* removing.reached
      const modifying = yield* Effect.fork(increment(session))
      yield* settle
      yield* removing.release
      yield* Fiber.join(committing)
      expect(yield* Fiber.join(modifying)).toBe(1)
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", count: "1" })
    }))

  it.effect("C7: modify that was written before a renewal of the same request, and answered after it", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.renew
      const updating = hold("update", "after")
      const modifying = yield* Effect.fork(increment(session))
      yield* updating.reached
      yield* session.commit
      yield* updating.release
      expect(yield* Fiber.join(modifying)).toBe(1)
      yield* session.insert(B, "later")
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"later\"", count: "1" })
    }))

  for (const when of ["before", "after"] as const) {
    it.effect(`C5: what is inserted after a flush is a new session, whatever a modify beside it did (${when})`, () =>
      Effect.gen(function*() {
        const { begin, finish, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(A, "a"))
        const session = request(token)
        yield* session.get(A)
        const updating = hold("update", when)
        const modifying = yield* Effect.fork(increment(session))
        yield* updating.reached
        yield* session.flush
        yield* session.insert(B, "new")
        yield* updating.release
        yield* Fiber.join(modifying)
        const { token: next } = yield* finish(session, token)
        expect(yield* stored(token)).toBeUndefined()
        expect(next).not.toBe(token)
        expect((yield* stored(next!))?.["b"]).toBe("\"new\"")
      }))
  }

  it.effect("C7: a modify and a commit of other keys in parallel are both seen afterwards, whoever is answered first", () =>
    Effect.gen(function*() {
      for (const first of ["modify", "commit"] as const) {
        const { begin, finish, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(A, "a"))
        const session = request(token)
        yield* session.get(A)
        yield* session.insert(B, "b")
        const update = hold("update", "after")
        const slow = yield* Effect.fork(first === "modify" ? Effect.asVoid(increment(session)) : session.commit)
        yield* update.reached
        yield* first === "modify" ? session.commit : Effect.asVoid(increment(session))
        yield* update.release
        yield* Fiber.join(slow)
        expect(yield* session.get(B)).toEqual(Option.some("b"))
        expect(yield* session.get(Count)).toEqual(Option.some(1))
        expect(yield* increment(session)).toBe(2)
        yield* finish(session, token)
        expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"", count: "2" })
      }
    }))

  it.effect("C10: renew and setExpiry asked for while a commit is under way are carried out", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b") // unseen
      const update = hold("update", "after")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      yield* session.renew
      yield* session.setExpiry("2 hours")
      yield* update.release
      yield* Fiber.join(committing)
      const { token: next, verdict } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(verdict.cookie).toMatchObject({ maxAge: 7200 })
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"b\"" })
      expect(yield* stored(token)).toBeUndefined()
    }))

  it.effect("C7: a load that was answered before a commit of the request, and arrives after it, hides nothing", () =>
    Effect.gen(function*() {
      const { begin, hold, request } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      const find = hold("find", "after")
      const reading = yield* Effect.fork(session.get(A))
      yield* find.reached
      yield* update.release
      yield* Fiber.join(committing)
      yield* find.release
      expect(yield* Fiber.join(reading)).toEqual(Option.some("a"))
      expect(yield* session.get(B)).toEqual(Option.some("b"))
    }))

  it.effect("C7: a load that was answered before a modify of the request, and arrives after it, hides nothing", () =>
    Effect.gen(function*() {
      const { begin, hold, request, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      const update = hold("update", "before")
      const modifying = yield* Effect.fork(increment(session))
      yield* update.reached
      yield* visit(token, (other) => other.insert(C, "of another request"))
      yield* session.insert(B, "b")
      yield* session.commit // what the session holds is to be loaded again
      const find = hold("find", "after")
      const reading = yield* Effect.fork(session.get(A))
      yield* find.reached
      yield* update.release
      expect(yield* Fiber.join(modifying)).toBe(1)
      yield* find.release
      expect(yield* Fiber.join(reading)).toEqual(Option.some("a"))
      expect(yield* session.get(Count)).toEqual(Option.some(1))
    }))

  it.effect("C7: two commits, and a sign-in beside a commit, come one after another", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const committing = yield* Effect.fork(session.commit)
      yield* update.reached
      const binding = yield* Effect.fork(session.bind("ada"))
      yield* settle
      yield* update.release
      yield* Fiber.join(committing)
      yield* Fiber.join(binding)
      const { token: next } = yield* finish(session, token)
      expect(next).not.toBe(token)
      expect(yield* stored(token)).toBeUndefined()
      expect(yield* stored(next!)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))

  it.effect("C11: changes after the head come one after another, and each is seen by those after it", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* finish(session, token)
      const update = hold("update", "after")
      const first = yield* Effect.fork(session.insert(B, "b"))
      yield* update.reached
      const second = yield* Effect.fork(session.insert(C, "c"))
      yield* settle
      expect(yield* session.get(B)).toEqual(Option.some("b"))
      yield* update.release
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      expect(yield* session.get(B)).toEqual(Option.some("b"))
      expect(yield* session.get(C)).toEqual(Option.some("c"))
      expect(yield* increment(session)).toBe(1)
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"", c: "\"c\"", count: "1" })
    }))

  it.effect("C11: a commit that is under way as the response is ready still sends its cookie", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const token = RandomPool.token() // nobody's
      const session = request(token)
      const finding = hold("find", "after")
      const inserting = hold("insert", "after")
      // a fiber of the request that reads, writes, and saves: the response waits for the read, and comes upon the save
      const detached = yield* Effect.fork(
        session.get(B).pipe(Effect.zipRight(session.insert(A, "a")), Effect.zipRight(session.commit))
      )
      yield* finding.reached
      const finishing = yield* Effect.fork(finish(session, token))
      yield* settle
      yield* finding.release
      yield* inserting.reached
      yield* settle
      yield* inserting.release
      yield* Fiber.join(detached)
      const { token: next } = yield* Fiber.join(finishing)
      expect(yield* stored(next!)).toEqual({ a: "\"a\"" })
    }))
})

/**
 * One request, several fibers. Each has a key of its own and knows what it must have; beside that they commit, renew, sign
 * in and set an expiry, in each other's way, before and after the head, and are interrupted in doing so.
 */
const turmoil = (seed: number) =>
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
    // nothing is left of what was renewed
    expect([seed, stats.sessions()]).toEqual([seed, 1])
  })

/** A request whose fibers do all they can, while another one signs out. */
const signedOut = (seed: number) =>
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
    // after the head there may be nothing to write to any more: typed, and nothing else
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

/** A store that fails at random, before it acted or after it. */
const failing = (seed: number) =>
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
          expect([seed, exit.cause._tag]).toEqual([seed, "Fail"])
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

describe("in turmoil", () => {
  it.live(
    "S2: nothing of a session that was signed out is read again, whatever a request's fibers do meanwhile",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), signedOut, { discard: true }),
    60_000
  )

  it.live(
    "M5: a store that fails at any point is a typed failure, and a response; never a defect, never a hang",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), failing, { discard: true }),
    60_000
  )

  it.live(
    "C7: fibers of one request see and keep what is theirs, whatever the others do",
    () => Effect.forEach(Array.from({ length: 150 }, (_, seed) => seed), turmoil, { discard: true }),
    60_000
  )
})

describe("interrupted", () => {
  for (const operation of ["insert", "remove"] as const) {
    for (const when of ["before", "after"] as const) {
      it.effect(`C10: a commit that is interrupted while it renews loses no session (${when} ${operation})`, () =>
        Effect.gen(function*() {
          const { begin, finish, hold, request, stored } = stage()
          const token = yield* begin((session) => session.insert(A, "a"))
          const session = request(token)
          yield* session.renew
          const held = hold(operation, when)
          const committing = yield* Effect.fork(session.commit)
          yield* held.reached
          const interrupting = yield* Effect.fork(Fiber.interrupt(committing))
          yield* settle
          yield* held.release
          yield* Fiber.join(interrupting)
          const { token: next } = yield* finish(session, token)
          expect(yield* stored(next!)).toEqual({ a: "\"a\"" })
        }))
    }
  }

  it.effect("M4: a handler that is interrupted while it commits keeps what was saved, and its cookie goes out", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const session = request(undefined)
      const held = hold("insert", "after")
      const handler = yield* Effect.fork(Effect.zipRight(session.insert(A, "a"), session.commit))
      yield* held.reached
      const interrupting = yield* Effect.fork(Fiber.interrupt(handler))
      yield* settle
      yield* held.release
      yield* Fiber.join(interrupting)
      const { token } = yield* finish(session, undefined, 499)
      expect(yield* stored(token!)).toEqual({ a: "\"a\"" })
    }))
})

describe("schemas", () => {
  const Async = SessionKey.make(
    "async",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text) => Effect.as(Effect.sleep("1 second"), text),
      encode: (text) => Effect.as(Effect.sleep("1 second"), text)
    })
  )
  class Prefix extends Context.Tag("Prefix")<Prefix, string>() {}
  const Served = SessionKey.make(
    "served",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: (text) => Effect.map(Prefix, (prefix) => text.slice(prefix.length)),
      encode: (text) => Effect.map(Prefix, (prefix) => prefix + text)
    })
  )
  const Hanging = SessionKey.make(
    "a",
    Schema.transformOrFail(Schema.String, Schema.String, {
      strict: true,
      decode: () => Effect.never,
      encode: () => Effect.never
    })
  )

  it.effect("C7: the response waits for a value that takes time to encode", () =>
    Effect.gen(function*() {
      const { finish, request, stored } = stage()
      const session = request(undefined)
      const inserting = yield* Effect.fork(session.insert(Async, "slow"))
      yield* settle
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(inserting)
      const { token } = yield* Fiber.join(finishing)
      expect(yield* stored(token!)).toEqual({ async: "\"slow\"" })
    }))

  it.effect("C8: a schema may need services, on every operation", () =>
    Effect.gen(function*() {
      const { begin, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(Served, "one")
      expect(yield* session.get(Served)).toEqual(Option.some("one"))
      expect(yield* session.remove(Served)).toEqual(Option.some("one"))
      yield* session.commit
      expect(yield* session.modify(Served, (was) => [was, Option.some("two")])).toEqual(Option.none())
      expect(yield* session.modify(Served, (was) => [was, Option.some("three")])).toEqual(Option.some("two"))
      expect(yield* stored(token)).toEqual({ a: "\"a\"", served: "\"p:three\"" })
    }).pipe(Effect.provideService(Prefix, "p:")))

  it.effect("M5: a schema that hangs does not keep the client waiting", () =>
    Effect.gen(function*() {
      const { begin, finish, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.insert(B, "b")
      yield* Effect.fork(session.get(Hanging))
      yield* Effect.fork(session.insert(Hanging, "x"))
      yield* settle
      const finishing = yield* Effect.fork(finish(session, token))
      yield* settle
      expect(finishing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("5 seconds")
      expect((yield* Fiber.join(finishing)).verdict.failure).toBeUndefined()
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"b\"" })
    }))
})

describe("times", () => {
  const hours = (n: number) => Duration.hours(n)

  it.effect("M3: a modify that refreshes a browser-session cookie's record sends no cookie: there is no Max-Age to move", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ idle: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { verdict } = yield* visit(token, increment)
      expect(verdict.cookie).toEqual({ _tag: "None" })
      yield* TestClock.adjust(hours(9))
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("a"))
    }))

  it.effect("E3: the Max-Age follows a refresh that modify has saved, at a 500 too", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ expiry: "10 hours" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { verdict } = yield* visit(token, increment, 500)
      expect(verdict.cookie).toEqual({ _tag: "Set", token, maxAge: 36_000 })
    }))

  it.effect("E3: close to the absolute end a touched session is refreshed as well: it lives until that end", () =>
    Effect.gen(function*() {
      const { begin, visit } = stage({ expiry: "1 hour", absoluteExpiry: "100 minutes" })
      const token = yield* begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust("39 minutes")
      yield* visit(token, (session) => session.get(A)) // until minute 99
      yield* TestClock.adjust("59 minutes")
      const { verdict } = yield* visit(token, (session) => session.get(A))
      expect(verdict.cookie).toEqual({ _tag: "Set", token, maxAge: 120 })
      yield* TestClock.adjust("90 seconds")
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("a"))
      yield* TestClock.adjust("30 seconds")
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.none())
    }))

  it.effect("C10: an own expiry that another request set between the load and the renewal comes along", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.setExpiry("2 hours")))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.renew
          yield* visit(token, (other) => other.setExpiry("30 days"))
        }))
      const loaded = yield* store.load([renewed.token!], 0)
      expect(loaded).toMatchObject({ session: { idleMillis: Duration.toMillis("30 days"), own: true } })
    }))

  it.effect("C10: an own expiry set beside the renewal wins over one that another request set meanwhile", () =>
    Effect.gen(function*() {
      const { begin, store, visit } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.setExpiry("2 hours")))
      const renewed = yield* visit(token, (session) =>
        Effect.gen(function*() {
          yield* session.renew
          yield* session.setExpiry("3 hours")
          yield* visit(token, (other) => other.setExpiry("30 days"))
        }))
      const loaded = yield* store.load([renewed.token!], 0)
      expect(loaded).toMatchObject({ session: { idleMillis: Duration.toMillis("3 hours"), own: true } })
    }))

  it.effect("M7: an unseen write to a session past an absolute expiry configured since starts a new one", () =>
    Effect.gen(function*() {
      const before = stage({ expiry: "10 hours" })
      const after = stage({ expiry: "10 hours", absoluteExpiry: "1 hour" }, () => before.backend)
      const token = yield* before.begin((session) => session.insert(A, "a"))
      yield* TestClock.adjust(hours(2))
      const { token: next } = yield* after.visit(token, (session) => session.insert(B, "b"))
      expect(next).not.toBe(token)
      expect(yield* after.stored(next!)).toEqual({ b: "\"b\"" })
      expect(yield* before.stored(token)).toBeUndefined()
    }))

  for (const trouble of ["fails", "hangs"] as const) {
    it.effect(`M5: a refresh after an unseen write that ${trouble} is no failed commit, and is told`, () =>
      Effect.gen(function*() {
        const { begin, finish, hold, request } = stage({ expiry: "10 hours" })
        const token = yield* begin((session) => session.insert(A, "a"))
        yield* TestClock.adjust(hours(2))
        const session = request(token)
        yield* session.insert(B, "b")
        const first = hold("update", "before")
        const second = hold("update", "before")
        const logs: Array<string> = []
        const finishing = yield* Effect.fork(Effect.provide(finish(session, token), logged(logs)))
        yield* first.reached
        yield* first.release
        yield* second.reached
        if (trouble === "fails") yield* second.fail(SessionError.SessionStoreError.of("update", "Unavailable"))
        else yield* TestClock.adjust("5 seconds")
        const { verdict } = yield* Fiber.join(finishing)
        expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
        expect(logs.filter((line) => line.startsWith("WARN"))).toHaveLength(1)
      }))
  }
})

describe("sizes", () => {
  const names = ["a", "b", "", "ü", "__proto__"]
  const octets = (data: ReadonlyMap<string, string>) =>
    [...data].reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0)

  /** Steps of one request after another, one at a time, against a plain map that says what fits. */
  const fits = (
    seed: number,
    open: (token: string | undefined) => RequestSession,
    finish: (session: RequestSession, token: string | undefined) => Effect.Effect<string | undefined>,
    tooLarge: (data: ReadonlyMap<string, string>) => boolean,
    most: number
  ) =>
    Effect.gen(function*() {
      const below = seeded(seed)
      let token: string | undefined
      let data = new Map<string, string>()
      /** at least what the store has by now: what a modification that is done at once is checked against, too */
      let stored: ReadonlyMap<string, string> = data
      for (let visit = 0; visit < 4; visit++) {
        stored = new Map(data)
        const session = open(token)
        yield* session.keys // what is not loaded counts at the commit only
        for (let step = 0; step < 15; step++) {
          const name = names[below(names.length)]
          const key = SessionKey.make(name, Schema.String)
          const value = "xyü\"\u0001"[below(5)].repeat(below(most))
          const next = new Map(data).set(name, JSON.stringify(value))
          const op = below(9)
          if (op < 5) {
            const exit = yield* Effect.exit(
              op < 4 ? session.insert(key, value) : session.modify(key, () => [undefined, Option.some(value)])
            )
            const isRefused = tooLarge(next)
            // What is yet to be removed takes its room until the commit: there a modification may fail, and says so.
            const mayFail = op === 4 && tooLarge(new Map([...stored, [name, JSON.stringify(value)]]))
            if (isRefused || !mayFail) {
              expect([seed, visit, step, exit._tag]).toEqual([seed, visit, step, isRefused ? "Failure" : "Success"])
            }
            if (Exit.isFailure(exit)) {
              expect(Option.getOrThrow(Cause.failureOption(exit.cause))).toBeInstanceOf(SessionError.SessionTooLarge)
            } else {
              data = next
              if (op === 4) stored = new Map([...stored, [name, JSON.stringify(value)]])
            }
          } else if (op === 5) {
            expect(Option.isSome(yield* session.remove(key))).toBe(data.delete(name))
          } else if (op === 6) {
            yield* session.commit
            stored = new Map(data)
          } else if (op === 7 && below(3) === 0) {
            yield* below(2) === 0 ? session.clear : session.flush
            data = new Map()
          } else yield* session.get(key)
          expect([...(yield* session.keys)].sort()).toEqual([...data.keys()].sort())
        }
        token = yield* finish(session, token)
      }
    })

  it.effect("S7: what fits is taken and what does not is refused, octet by octet, in any order of operations", () =>
    Effect.forEach(Array.from({ length: 100 }, (_, seed) => seed), (seed) => {
      const { finish, request } = stage({ maxSessionBytes: 100 })
      return fits(
        seed,
        request,
        (session, token) => Effect.map(finish(session, token), (finished) => finished.token),
        (data) => octets(data) > 100,
        60
      )
    }, { discard: true }))

  it.effect("K6: the same for what a cookie holds, by the size of what is really sent", () =>
    Effect.gen(function*() {
      const keys = yield* KeyRing.generate
      const config = Either.getOrThrow(SessionConfig.resolve({ secure: false }, "client"))
      const store = cookieStore.make(config, keys, "")
      const sizeOf = (data: ReadonlyMap<string, string>) => {
        const patch = { clear: false, set: data, remove: new Set<string>(), expiry: undefined, maxBytes: 0 }
        const exit = Effect.runSyncExit(
          store.save({ base: undefined, patch, renew: false, ifVersion: undefined, owner: undefined }, 0)
        )
        return Exit.isSuccess(exit) && exit.value._tag === "Saved" ? `session${exit.value.token}`.length : Infinity
      }
      yield* Effect.forEach(Array.from({ length: 60 }, (_, seed) => seed), (seed) =>
        fits(
          seed,
          (token) =>
            new RequestSession(store, {
              cookie: token === undefined ? undefined : `session=${token}`,
              userAgent: undefined
            }),
          (session, token) =>
            Effect.map(session.finish(true), ({ cookie, failure }) => {
              expect(failure).toBeUndefined()
              return cookie._tag === "Set" ? cookie.token : cookie._tag === "Remove" ? undefined : token
            }),
          (data) => sizeOf(data) > 4096,
          2200
        ), { discard: true })
    }))

  it.effect("S7: what an unseen write sums past the limit is a failed commit, and changes nothing", () =>
    Effect.gen(function*() {
      const { begin, stored, visit } = stage({ maxSessionBytes: 20 })
      const token = yield* begin((session) => session.insert(A, "0123456789"))
      const { verdict } = yield* visit(token, (session) => session.insert(B, "0123456789"))
      expect(verdict.failure).toMatchObject({ _tag: "SessionTooLarge", size: 26, limit: 20 })
      expect(yield* stored(token)).toEqual({ a: "\"0123456789\"" })
    }))
})

describe("the end of a request", () => {
  it.effect("M4: asked again with another status, it answers the same and saves nothing twice", () =>
    Effect.gen(function*() {
      const { counts, request, stored } = stage()
      const committed = request(undefined)
      yield* committed.insert(A, "a")
      const first = yield* committed.finish(true)
      for (const again of [false, true]) expect(yield* committed.finish(again)).toBe(first)
      expect([counts.insert, counts.update]).toEqual([1, 0])
      expect(first.cookie._tag === "Set" && (yield* stored(first.cookie.token))).toEqual({ a: "\"a\"" })
      const dropped = request(undefined)
      yield* dropped.insert(A, "a")
      for (const committing of [false, true, true]) {
        expect(yield* dropped.finish(committing)).toEqual({ cookie: { _tag: "None" }, failure: undefined })
      }
      expect(counts.insert).toBe(1)
    }))

  it.effect("M5: a commit that fails after one that did not: 503, with the cookie of what was saved", () =>
    Effect.gen(function*() {
      const { finish, hold, request, stored } = stage()
      const session = request(undefined)
      yield* session.insert(A, "a")
      yield* session.commit
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* update.reached
      yield* update.fail(SessionError.SessionStoreError.of("update", "Unavailable"))
      const { token, verdict } = yield* Fiber.join(finishing)
      expect(verdict.failure).toMatchObject({ operation: "update" })
      expect(yield* stored(token!)).toEqual({ a: "\"a\"" })
    }))

  it.effect("M5: a commit that fails after a flush: 503, and the browser forgets the session that ended", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.flush
      yield* session.insert(B, "b")
      const insert = hold("insert", "before")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* insert.reached
      yield* insert.fail(SessionError.SessionStoreError.of("insert", "Unavailable"))
      const { verdict } = yield* Fiber.join(finishing)
      expect(verdict).toMatchObject({ cookie: { _tag: "Remove" }, failure: { operation: "insert" } })
      expect(yield* stored(token)).toBeUndefined()
    }))

  it.effect("C11: a commit of a fiber that comes while the response is made ready fails where that does", () =>
    Effect.gen(function*() {
      const { finish, hold, request } = stage()
      const session = request(undefined)
      yield* session.insert(A, "a")
      const insert = hold("insert", "before")
      const finishing = yield* Effect.fork(finish(session, undefined))
      yield* insert.reached
      const committing = yield* Effect.fork(Effect.exit(session.commit))
      yield* settle
      yield* insert.fail(SessionError.SessionStoreError.of("insert", "Unavailable"))
      yield* Fiber.join(finishing)
      expect(yield* Fiber.join(committing)).toMatchObject({ cause: { error: { operation: "insert" } } })
    }))

  it.effect("C11: what fibers ask for while the response is made ready comes after the head, or is refused", () =>
    Effect.gen(function*() {
      const { begin, finish, hold, request, stored } = stage({ expiry: "1 hour" })
      const token = yield* begin((session) => session.insert(A, "a"))
      const session = request(token)
      yield* session.get(A)
      yield* session.insert(B, "b")
      const update = hold("update", "before")
      const finishing = yield* Effect.fork(finish(session, token))
      yield* update.reached
      const inserting = yield* Effect.fork(session.insert(C, "c"))
      const modifying = yield* Effect.fork(session.modify(B, (b) => [b, Option.some("modified")]))
      for (const refused of [session.renew, session.setExpiry("2 hours"), session.bind("ada")]) {
        expect(yield* Effect.flip(refused)).toBeInstanceOf(SessionError.SessionClosed)
      }
      yield* settle
      yield* update.release
      yield* Fiber.join(inserting)
      expect(yield* Fiber.join(modifying)).toEqual(Option.some("b"))
      const { token: same, verdict } = yield* Fiber.join(finishing)
      expect([verdict.cookie, same]).toEqual([{ _tag: "None" }, token])
      expect(yield* stored(token)).toEqual({ a: "\"a\"", b: "\"modified\"", c: "\"c\"" })
    }))

  it.effect("E4: between a cookie with Max-Age and one without, every switch is sent, and only switches are", () =>
    Effect.gen(function*() {
      for (const persistent of [true, false]) {
        const { begin, visit } = stage(persistent ? { expiry: "1 hour" } : { idle: "1 hour" })
        const token = yield* begin((session) => session.insert(A, "a"))
        const steps = [
          ["browser-session", persistent ? "sent" : "none", undefined],
          ["browser-session", "none", undefined],
          ["2 hours", "sent", 7200],
          ["2 hours", "sent", 7200],
          ["browser-session", "sent", undefined]
        ] as const
        for (const [expiry, sent, maxAge] of steps) {
          const { verdict } = yield* visit(token, (session) => session.setExpiry(expiry))
          expect([persistent, expiry, verdict.cookie])
            .toEqual([persistent, expiry, sent === "none" ? { _tag: "None" } : { _tag: "Set", token, maxAge }])
        }
      }
    }))

  it.effect("S2: a session revoked in its own request writes nothing, sends nothing, and stays ended", () =>
    Effect.gen(function*() {
      const { begin, finish, request, sessions, stats, stored } = stage()
      const token = yield* begin((session) => Effect.zipRight(session.insert(A, "a"), session.bind("ada")))
      const session = request(token)
      yield* session.get(A)
      expect(yield* sessions.revokeAll("ada")).toBe(1)
      yield* session.insert(B, "b")
      expect(yield* Effect.flip(increment(session))).toEqual(new SessionError.SessionEnded())
      yield* session.renew
      yield* session.commit
      yield* session.insert(C, "c")
      const { verdict } = yield* finish(session, token)
      expect(verdict).toEqual({ cookie: { _tag: "None" }, failure: undefined })
      expect([yield* stored(token), stats.sessions()]).toEqual([undefined, 0])
    }))

  it.effect("M8: an insert with several live tokens goes to the first, and a flush ends that one", () =>
    Effect.gen(function*() {
      const { begin, finish, request, stored } = stage()
      const one = yield* begin((session) => session.insert(A, "one"))
      const two = yield* begin((session) => session.insert(A, "two"))
      const unknown = RandomPool.token()
      const session = request([unknown, one, two])
      yield* session.insert(B, "b")
      expect(yield* increment(session)).toBe(1)
      yield* finish(session, one)
      expect([yield* stored(one), yield* stored(two)]).toEqual([{ a: "\"one\"", b: "\"b\"", count: "1" }, {
        a: "\"two\""
      }])
      const leaving = request([unknown, one, two])
      yield* leaving.flush
      yield* finish(leaving, one)
      expect([yield* stored(one), yield* stored(two)]).toEqual([undefined, { a: "\"two\"" }])
    }))
})

describe("a backend that breaks its contract", () => {
  for (
    const [name, answer] of [["at once", Effect.succeed(false)], [
      "later",
      Effect.as(Effect.yieldNow(), false)
    ]] as const
  ) {
    it.effect(`M5: one that takes every id for taken (${name}) is one that failed: neither a loop nor a hang`, () =>
      Effect.gen(function*() {
        const { counts, finish, request } = stage({}, (backend) => ({ ...backend, insert: () => answer }))
        const session = request(undefined)
        yield* session.insert(A, "a")
        const { verdict } = yield* finish(session, undefined)
        expect(verdict).toMatchObject({
          cookie: { _tag: "None" },
          failure: { operation: "insert", reason: "Unavailable" }
        })
        expect(counts.insert).toBeLessThan(10)
      }))
  }
})

describe("modify in turn", () => {
  it.effect("C9: f that throws is a defect of the handler's, and the next one has its turn", () =>
    Effect.gen(function*() {
      const { begin, request, stored, visit } = stage()
      const token = yield* begin((session) => session.insert(Count, 1))
      const session = request(token)
      const exit = yield* Effect.exit(session.modify(Count, () => {
        throw new Error("of the test")
      }))
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      expect((yield* visit(token, increment)).value).toBe(2)
      expect(yield* increment(session)).toBe(3)
      expect(yield* stored(token)).toEqual({ count: "3" })
    }))

  it.effect("C9: who is interrupted in the middle of it, or before its turn, holds nobody up", () =>
    Effect.gen(function*() {
      for (const when of ["before", "after"] as const) {
        const { begin, hold, request, stored } = stage()
        const token = yield* begin((session) => session.insert(Count, 0))
        const update = hold("update", when)
        const first = yield* Effect.fork(increment(request(token)))
        yield* update.reached
        const second = yield* Effect.fork(increment(request(token)))
        const third = yield* Effect.fork(increment(request(token)))
        yield* settle
        yield* Fiber.interrupt(second)
        yield* Fiber.interrupt(first)
        const counted = yield* Fiber.join(third)
        expect([when, counted]).toEqual([when, when === "before" ? 1 : 2])
        expect(yield* stored(token)).toEqual({ count: String(counted) })
      }
    }))

  it.effect("M5: when the store hangs, everybody in the queue is answered within one time-out", () =>
    Effect.gen(function*() {
      const { begin, hold, request, visit } = stage()
      const token = yield* begin((session) => session.insert(Count, 0))
      const update = hold("update", "before")
      const all = yield* Effect.forEach(
        Array.from({ length: 50 }),
        () => Effect.fork(Effect.exit(increment(request(token))))
      )
      yield* update.reached
      yield* settle
      yield* TestClock.adjust("5 seconds")
      for (const exit of yield* Effect.forEach(all, Fiber.join)) {
        expect(exit).toMatchObject({ _tag: "Failure", cause: { error: { operation: "update", reason: "Timeout" } } })
      }
      expect((yield* visit(token, increment)).value).toBe(1)
    }))

  it.effect("C9: who changes nothing does not hand on what others may have changed since", () =>
    Effect.gen(function*() {
      const { backend, begin, hold, request, stored } = stage()
      const token = yield* begin((session) => session.insert(Count, 1))
      const id = Token.idOf(token)
      const runtime = yield* Effect.runtime<never>()
      const seen: Array<number> = []
      let last: Fiber.RuntimeFiber<unknown, unknown> | undefined
      const look = (session: RequestSession, during: Effect.Effect<unknown, unknown> = Effect.void) =>
        session.modify(Count, (count) => {
          seen.push(Option.getOrElse(count, () => 0))
          Runtime.runSync(runtime)(Effect.ignore(during))
          return [undefined, count]
        })
      const update = hold("update", "after")
      const first = yield* Effect.fork(increment(request(token)))
      yield* update.reached
      // the second looks only; while it does, another process writes, and then a third one comes to look
      const second = yield* Effect.fork(
        look(
          request(token),
          Effect.gen(function*() {
            if (last !== undefined) return
            const patch = {
              clear: false,
              set: new Map([["count", "10"]]),
              remove: new Set<string>(),
              expiry: undefined
            }
            yield* backend.update(id, { ...patch, maxBytes: 1000 }, 0)
            last = Runtime.runFork(runtime)(look(request(token)))
          })
        )
      )
      yield* settle
      yield* update.release
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      yield* Fiber.join(last!)
      expect(seen.at(-1)).toBe(10)
      expect(yield* stored(token)).toEqual({ count: "10" })
    }))
})

describe("records that cannot be read", () => {
  for (const newerFormat of [false, true]) {
    it.effect(`S6: a ${newerFormat ? "newer" : "corrupt"} record that modify meets first is told, and starts a new session`, () =>
      Effect.gen(function*() {
        const bad = new Set<string>()
        const { begin, counts, stored, visit } = stage({}, (backend) => ({
          ...backend,
          find: (id, now) =>
            bad.has(id)
              ? Effect.succeed(Option.some({ _tag: "Corrupt" as const, newerFormat, detail: "of the test" }))
              : backend.find(id, now),
          update: (id, ...rest) =>
            bad.has(id) ? Effect.succeed({ _tag: "Missing" as const }) : backend.update(id, ...rest)
        }))
        const token = yield* begin((session) => session.insert(A, "a"))
        bad.add(Token.idOf(token))
        const logs: Array<string> = []
        const removals = counts.remove
        const visited = yield* Effect.provide(visit(token, increment), logged(logs))
        expect(visited.value).toBe(1)
        expect(visited.token).not.toBe(token)
        expect(yield* stored(visited.token!)).toEqual({ count: "1" })
        expect(logs.filter((line) => line.startsWith("WARN"))).toHaveLength(1)
        expect(counts.remove - removals).toBe(newerFormat ? 0 : 1)
      }))
  }
})

describe("responses", () => {
  const memory = () => SessionStore.layerMemory({ secure: false })
  const touch = (session: boolean) => session ? RequestContext.insert(A, "v") : Effect.void

  /** The same request to a web handler, and to a server on a socket. */
  const everywhere = async <E>(
    app: HttpApp.Default<E, RequestContext.RequestContext>,
    see: (response: Response, logs?: ReadonlyArray<Log>) => Promise<void>
  ) => {
    const { logs, request } = serve(app, memory())
    await see(await request("/"), logs)
    const { close, port } = await listen(app, memory())
    await see(await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) }))
    await close()
  }

  it("M3: a Set-Cookie of our name among the handler's headers is replaced too, others stay", async () => {
    for (const value of ["session=mine; Path=/", " session =mine"]) {
      await everywhere(
        Effect.as(touch(true), HttpServerResponse.text("ok", { headers: { "set-cookie": value, "x-other": "stays" } })),
        async (response, logs) => {
          expect(response.headers.getSetCookie()).toHaveLength(1)
          expect(response.headers.getSetCookie()[0]).toMatch(/^session=[\w-]{43};/)
          expect([response.headers.get("x-other"), await response.text()]).toEqual(["stays", "ok"])
          if (logs !== undefined) expect(logs.map(({ level }) => level)).toEqual(["WARN"])
        }
      )
    }
    await everywhere(
      Effect.as(touch(true), HttpServerResponse.text("ok", { headers: { "set-cookie": "session2=x" } })),
      async (response) => {
        expect(response.headers.getSetCookie().map((cookie) => cookie.split("=")[0]).sort()).toEqual([
          "session",
          "session2"
        ])
      }
    )
    const { logs, request } = serve(
      Effect.as(touch(false), HttpServerResponse.text("ok", { headers: { "set-cookie": "session=mine" } })),
      memory()
    )
    await request("/")
    expect(logs.map(({ level }) => level)).toEqual(["WARN"])
  })

  it("R3: a Response of fetch that is sent as it is has the id, its cookies, and ours", async () => {
    const upstream = Http.createServer((_, response) => {
      response.setHeader("set-cookie", ["u=1", "v=2"])
      response.statusCode = 201
      response.end("from upstream")
    })
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve))
    const { port } = upstream.address() as AddressInfo
    for (const session of [false, true]) {
      const app = Effect.zipRight(
        touch(session),
        Effect.map(
          Effect.promise(() => fetch(`http://127.0.0.1:${port}/`)),
          (response) => HttpServerResponse.raw(response)
        )
      )
      await everywhere(app, async (response) => {
        expect([response.status, await response.text()]).toEqual([201, "from upstream"])
        expect(response.headers.get("x-request-id")).toHaveLength(36)
        const names = response.headers.getSetCookie().map((cookie) => cookie.split("=")[0])
        expect(names.sort()).toEqual(session ? ["session", "u", "v"] : ["u", "v"])
      })
    }
    upstream.close()
  })

  it("M13: the layers under the middlewares give the request's own: one id, one load, one commit", async () => {
    const { layer, taken } = countingStore({ cleanupInterval: Infinity })
    const inner = Effect.gen(function*() {
      yield* RequestContext.get(A)
      yield* RequestContext.insert(B, "inner")
      return yield* RequestId.RequestId
    }).pipe(Effect.provide(RequestContext.layer.pipe(Layer.provideMerge(RequestId.layer))))
    const { request } = serve(
      Effect.gen(function*() {
        yield* RequestContext.get(A)
        yield* RequestContext.insert(A, "outer")
        const ids = [yield* RequestId.RequestId, yield* inner]
        return HttpServerResponse.unsafeJson({ ids, b: Option.getOrNull(yield* RequestContext.get(B)) })
      }),
      layer
    )
    const response = await request("/")
    const { b, ids } = await response.json()
    expect([b, ids[0], response.headers.get("x-request-id")]).toEqual(["inner", ids[1], ids[1]])
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(taken()).toEqual({ find: 0, insert: 1, update: 0, remove: 0, removeExpired: 0 })
    await request("/", { cookie: cookieOf(response) })
    expect(taken()).toEqual({ find: 1, insert: 0, update: 0, remove: 0, removeExpired: 0 })
  })

  it("M10: a request made from within a handler has the session of its own cookie, not the handler's", async () => {
    const named = Effect.map(
      RequestContext.get(A),
      (value) => HttpServerResponse.text(Option.getOrElse(value, () => "nobody"))
    )
    const app = HttpRouter.empty.pipe(
      HttpRouter.post(
        "/begin/:name",
        Effect.gen(function*() {
          const { name } = yield* HttpRouter.params
          yield* RequestContext.insert(A, name ?? "")
          return HttpServerResponse.text("begun")
        })
      ),
      HttpRouter.get("/name", named),
      HttpRouter.get(
        "/written",
        Effect.map(
          Effect.all([RequestContext.get(B), RequestContext.get(C)]),
          (values) => HttpServerResponse.text(values.map(Option.getOrNull).join(" "))
        )
      ),
      HttpRouter.get("/mounted", Effect.provide(named, RequestContext.layer)),
      HttpRouter.get(
        "/inner",
        Effect.gen(function*() {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const runtime = yield* Effect.runtime<
            RequestContext.RequestContext | RequestId.RequestId | SessionStore.SessionStore
          >()
          const inner = HttpApp.toWebHandlerRuntime(runtime)(
            named.pipe(RequestContext.middleware, RequestId.middleware)
          )
          const ask = (cookie: string) =>
            Effect.promise(async () => {
              const response = await inner(new Request("http://localhost/", { headers: { cookie } }))
              expect(response.headers.getSetCookie()).toEqual([])
              expect(response.headers.get("x-request-id")).toHaveLength(36)
              return response.text()
            })
          yield* RequestContext.insert(B, "before")
          const answers = `${yield* ask(headers["x-other"] ?? "")} ${yield* ask("")}`
          yield* RequestContext.insert(C, "after")
          return HttpServerResponse.text(answers)
        })
      )
    )
    const { request } = serve(app, memory())
    const ada = cookieOf(await request("/begin/ada", { method: "POST" }))
    const grace = cookieOf(await request("/begin/grace", { method: "POST" }))
    const response = await request("/inner", { cookie: ada, headers: { "x-other": grace } })
    expect(await response.text()).toBe("grace nobody")
    const anonymous = await request("/inner")
    expect(anonymous.headers.getSetCookie()).toHaveLength(1)
    for (const cookie of [ada, cookieOf(anonymous)]) {
      expect(await (await request("/written", { cookie })).text()).toBe("before after")
    }
    expect(await (await request("/mounted", { cookie: ada })).text()).toBe("ada")
  })

  it("M5: a predicate that throws is a 503 with the id, and no Set-Cookie", async () => {
    const { logs, request } = serve(
      Effect.as(touch(true), HttpServerResponse.text("ok")),
      SessionStore.layerMemory({
        secure: false,
        commitWhen: () => {
          throw new Error("of the test")
        }
      })
    )
    const response = await request("/")
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
    expect(response.headers.get("x-request-id")).toHaveLength(36)
    expect(logs.map(({ level }) => level)).toEqual(["ERROR"])
  })
})
