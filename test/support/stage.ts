import { Clock, Deferred, Effect, Either } from "effect"
import { SessionConfig } from "effect-session"
import type { KeyRing, SessionBackend, SessionError, SessionStore } from "effect-session"
import * as cookieStore from "../../src/internal/cookie/cookieStore.js"
import * as memory from "../../src/internal/memory/backend.js"
import type { Verdict } from "../../src/internal/request/answer.js"
import type { RequestFacts } from "../../src/internal/request/facts.js"
import { RequestSession } from "../../src/internal/request/requestSession.js"
import * as Guard from "../../src/internal/server/guard.js"
import * as backendStore from "../../src/internal/server/serverStore.js"
import * as sessions from "../../src/internal/server/subjectSessions.js"
import type { Counts } from "./counting.js"

type Operation = Exclude<keyof SessionBackend.SessionBackendService, "isAlone" | "count">

interface Hold {
  readonly operation: Operation
  readonly when: "before" | "after"
  readonly reached: Deferred.Deferred<void>
  readonly released: Deferred.Deferred<void, SessionError.SessionStoreError>
}

/** Lets the other fibers run until each of them waits for something. */
export const settle = Effect.repeatN(Effect.yieldNow(), 100)

/** Ends a request now. */
export const verdictOf = (session: RequestSession, committing: boolean) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => session.finish(committing, now))

/** Requests to a store, without HTTP: the session of each, and what its end makes of it. */
export const requestsTo = (store: SessionStore.SessionStoreService) => {
  const { config } = store

  /** A request that sends the tokens. */
  const request = (tokens: string | ReadonlyArray<string> | undefined, facts: Partial<RequestFacts> = {}) =>
    new RequestSession(store, {
      cookie: tokens === undefined ? undefined : [tokens].flat().map((token) => `${config.name}=${token}`).join("; "),
      userAgent: undefined,
      ...facts
    })

  /** Ends a request as a response of that status does; returns the verdict and the token that the browser then has. */
  const finish = (session: RequestSession, sent: string | undefined, status = 200) =>
    Effect.map(verdictOf(session, config.commitWhen(status)), (verdict) => ({
      verdict,
      token: tokenAfter(verdict, sent)
    }))

  /** A whole request. */
  const visit = <A, E>(
    token: string | undefined,
    handler: (session: RequestSession) => Effect.Effect<A, E>,
    status = 200
  ) =>
    Effect.gen(function*() {
      const session = request(token)
      const value = yield* handler(session)
      return { value, ...(yield* finish(session, token, status)) }
    })

  return { finish, request, visit }
}

/**
 * Single requests over a memory backend, without HTTP. A test can hold up the backend's calls, and so decide which of two
 * operations comes first.
 */
export const stage = (
  options: SessionConfig.SessionConfigOptions = {},
  decorate: (backend: SessionBackend.SessionBackendService) => SessionBackend.SessionBackendService = (same) => same,
  made: memory.Memory = memory.make({ maxSessions: 10_000, maxBytes: 64 * 1024 * 1024 })
) => {
  const config = Either.getOrThrow(SessionConfig.resolve({ secure: false, ...options }))
  const counts: Counts = { find: 0, insert: 0, update: 0, remove: 0, removeExpired: 0 }
  let holds: ReadonlyArray<Hold> = []

  /** Holds up the next call of the operation, before it acts or before its answer arrives. */
  const hold = (operation: Operation, when: "before" | "after") => {
    const held: Hold = {
      operation,
      when,
      reached: Effect.runSync(Deferred.make<void>()),
      released: Effect.runSync(Deferred.make<void, SessionError.SessionStoreError>())
    }
    holds = [...holds, held]
    return {
      reached: Deferred.await(held.reached),
      release: Deferred.succeed(held.released, undefined),
      fail: (error: SessionError.SessionStoreError) => Deferred.fail(held.released, error)
    }
  }

  const around = <A>(
    operation: Operation,
    call: () => Effect.Effect<A, SessionError.SessionStoreError>
  ): Effect.Effect<A, SessionError.SessionStoreError> => {
    counts[operation] += 1
    const held = holds.find((hold) => hold.operation === operation)
    if (held === undefined) return call()
    holds = holds.filter((hold) => hold !== held)
    const wait = Effect.zipRight(Deferred.succeed(held.reached, undefined), Deferred.await(held.released))
    return held.when === "before"
      ? Effect.zipRight(wait, Effect.suspend(call))
      : Effect.zipLeft(Effect.suspend(call), wait)
  }

  const inner = decorate(made.backend)
  const backend: SessionBackend.SessionBackendService = {
    find: (...args) => around("find", () => inner.find(...args)),
    insert: (...args) => around("insert", () => inner.insert(...args)),
    update: (...args) => around("update", () => inner.update(...args)),
    remove: (...args) => around("remove", () => inner.remove(...args)),
    removeExpired: (...args) => around("removeExpired", () => inner.removeExpired(...args))
  }
  const store: SessionStore.SessionStoreService = backendStore.make(
    config,
    Guard.guarded(backend, config.storeTimeoutMillis, Effect.fail),
    Guard.guardedIndex(made.index, config.storeTimeoutMillis, Effect.fail)
  )

  const requests = requestsTo(store)
  const { visit } = requests

  /** Begins a session and returns its token. */
  const begin = <E>(handler: (session: RequestSession) => Effect.Effect<unknown, E>) =>
    Effect.flatMap(
      visit(undefined, handler),
      ({ token }) => token === undefined ? Effect.dieMessage("no session was begun") : Effect.succeed(token)
    )

  /** The data that the store now holds for a token; undefined where there is no session. */
  const stored = (token: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => store.load([token], now)).pipe(
      Effect.map((loaded) => loaded._tag === "Found" ? Object.fromEntries(loaded.session.data) : undefined)
    )

  return {
    ...requests,
    made,
    backend: made.backend,
    begin,
    config,
    counts,
    hold,
    sessions: sessions.make(config, backend, made.index),
    store,
    stored,
    stats: made.stats
  }
}

/** Single requests over a cookie store, without HTTP. */
export const sealedStage = (keys: KeyRing.KeyRing, options: SessionConfig.SessionConfigOptions = {}) => {
  const config = Either.getOrThrow(SessionConfig.resolve({ secure: false, ...options }))
  const store = cookieStore.make(config, keys, "")
  return { ...requestsTo(store), config, store }
}

/** The same numbers for the same seed, from 0 to below `most`. */
export const seeded = (seed: number) => {
  let state = seed
  return (most: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most
  }
}

/** Lets other fibers run before and after each call, a random number of times. */
export const restless = (below: (most: number) => number) => (backend: SessionBackend.SessionBackendService) => {
  const pause = Effect.suspend(() => Effect.repeatN(Effect.yieldNow(), below(4)))
  const around = <A, E>(call: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipLeft(Effect.zipRight(pause, Effect.suspend(call)), pause)
  const yielding: SessionBackend.SessionBackendService = {
    find: (...args) => around(() => backend.find(...args)),
    insert: (...args) => around(() => backend.insert(...args)),
    update: (...args) => around(() => backend.update(...args)),
    remove: (...args) => around(() => backend.remove(...args)),
    removeExpired: (...args) => around(() => backend.removeExpired(...args))
  }
  return yielding
}

const tokenAfter = ({ cookie }: Verdict, sent: string | undefined): string | undefined =>
  cookie._tag === "Set" ? cookie.token : cookie._tag === "Remove" ? undefined : sent
