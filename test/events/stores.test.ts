import * as KeyValues from "@effect/platform/KeyValueStore"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope, TestClock } from "effect"
import { Sessions, SessionStore } from "effect-session"
import type { SessionEvents } from "effect-session"
import * as KeyValueStore from "effect-session/SessionStore/KeyValueStore"
import { overMap } from "../keyValueStore/stores.js"
import { A } from "../support/sessionKeys.js"
import { describeSharedStores } from "../support/sharedStores.js"
import { requestsTo } from "../support/stage.js"
import { storeAt } from "../support/storeAt.js"

type Make = (
  options: SessionStore.ServerOptions
) => Layer.Layer<SessionStore.SessionStore | Sessions.Sessions | Sessions.SessionList, unknown>

interface Stage {
  readonly store: SessionStore.SessionStoreService
  readonly sessions: Sessions.SessionsService & Sessions.SessionListService
  /** Signs a subject in from a browser of its own; returns its token. */
  readonly signIn: (subject: string) => Effect.Effect<string | undefined, unknown>
  /** What was published since the last call. */
  readonly heard: Effect.Effect<ReadonlyArray<SessionEvents.SessionEvent>>
}

const stage = (make: Make, options: SessionStore.ServerOptions): Effect.Effect<Stage, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Layer.build(make({ secure: false, ...options }))
    const store = Context.get(context, SessionStore.SessionStore)
    const { visit } = requestsTo(store)
    const inbox = store.events.subscribe(10_000)
    return {
      store,
      sessions: { ...Context.get(context, Sessions.Sessions), ...Context.get(context, Sessions.SessionList) },
      signIn: (subject) => Effect.map(visit(undefined, (session) => session.bind(subject)), ({ token }) => token),
      heard: Effect.suspend(() => {
        // Something to wait for, so that a silent store does not make the test wait.
        store.events.publish({ _tag: "Dropped", at: 0, count: 0 })
        return Effect.map(inbox.take(10_000), (events) => (events ?? []).filter(({ _tag }) => _tag !== "Dropped"))
      })
    }
  })

const tagsOf = (events: ReadonlyArray<SessionEvents.SessionEvent>) => events.map(({ _tag }) => _tag)

const nameIn = (event: SessionEvents.SessionEvent): string | undefined => "session" in event ? event.session : undefined

const everyServerStore = (make: () => Make) => {
  it.scoped("N2: each revoked session is an event that names it and its subject, and revoking none is no event", () =>
    Effect.gen(function*() {
      const { heard, sessions, signIn } = yield* stage(make(), {})
      for (const subject of ["ada", "ada", "ada", "bob"]) yield* signIn(subject)
      const [first, second, third] = (yield* sessions.list("ada")).map(({ id }) => id)
      yield* heard
      expect(yield* sessions.revoke("bob", first)).toBe(false)
      expect(yield* heard).toEqual([])
      expect(yield* sessions.revoke("ada", first)).toBe(true)
      expect(yield* heard).toMatchObject([{ _tag: "Revoked", session: first, subject: "ada" }])
      expect(yield* sessions.revokeAll("ada", second)).toBe(1)
      expect(yield* heard).toMatchObject([{ _tag: "Revoked", session: third, subject: "ada" }])
    }))

  it.scoped("N2: a sign-in beyond the bound is an event of the session that it evicts, after the one that began", () =>
    Effect.gen(function*() {
      const { heard, sessions, signIn } = yield* stage(make(), {
        subjectBound: { max: 1, whenFull: "evict-oldest" }
      })
      yield* signIn("ada")
      const [{ id: oldest }] = yield* sessions.list("ada")
      yield* heard
      const token = yield* signIn("ada")
      const events = yield* heard
      expect([...tagsOf(events)].sort()).toEqual(["Created", "Evicted", "SignedIn"])
      expect(events.find(({ _tag }) => _tag === "Evicted")).toMatchObject({
        session: oldest,
        subject: "ada",
        reason: "SubjectBound"
      })
      expect(token).toBeDefined()
    }))

  it.scoped("N3: a sign-in that the bound refuses is an event, and no session has begun", () =>
    Effect.gen(function*() {
      const { heard, signIn } = yield* stage(make(), { subjectBound: { max: 1, whenFull: "refuse" } })
      yield* signIn("ada")
      yield* heard
      yield* Effect.ignore(signIn("ada"))
      expect(yield* heard).toMatchObject([{ _tag: "Refused", subject: "ada", reason: "TooManySessions" }])
    }))
}

/** Starts sessions of an anonymous visitor and of a subject, renews one, and lets the clean-up find them expired. */
const expiring = (make: Make) =>
  Effect.gen(function*() {
    const { heard, signIn, store } = yield* stage(make, {
      expiry: "1 hour",
      cleanupInterval: "10 minutes",
      renewGrace: "1 minute"
    })
    const { visit } = requestsTo(store)
    yield* signIn("ada")
    const { token } = yield* visit(undefined, (session) => session.insert(A, "a"))
    yield* visit(token, (session) => session.renew)
    const names = (yield* heard).filter(({ _tag }) => _tag === "SignedIn" || _tag === "Renewed").map(nameIn)
    yield* TestClock.adjust("3 hours")
    yield* Effect.repeatN(Effect.yieldNow(), 500)
    const events = yield* heard
    expect(tagsOf(events)).toEqual(["Expired", "Expired"])
    expect(events.map(nameIn).sort()).toEqual(names.sort())
    expect(events.map((event) => "subject" in event ? event.subject : undefined).sort()).toEqual(["ada", undefined])
  })

describe("Memory", () => {
  everyServerStore(() => SessionStore.layerMemory)

  it.scoped("N2: each session that the clean-up removes is an event, and the mark of a renewal is none", () =>
    expiring(SessionStore.layerMemory))

  it.scoped("N2: each session that has to make room is an event, and the session that it makes room for is kept", () =>
    Effect.gen(function*() {
      const { heard, signIn, store } = yield* stage(
        (options) => SessionStore.layerMemory({ ...options, maxSessions: 3 }),
        { expiry: "1 hour", cleanupInterval: Infinity }
      )
      const { visit } = requestsTo(store)
      const begin = visit(undefined, (session) => session.insert(A, "a"))
      const [first] = (yield* Effect.zipRight(begin, heard)).map(nameIn)
      yield* signIn("ada")
      yield* begin
      yield* heard
      const { token } = yield* begin
      const events = yield* heard
      expect(tagsOf(events)).toEqual(["Evicted", "Created"])
      expect(events[0]).toMatchObject({ session: first, reason: "StoreFull" })
      expect((yield* visit(token, (session) => session.get(A))).value._tag).toBe("Some")

      // What has expired makes room first, and that is no eviction.
      yield* TestClock.adjust("2 hours")
      const last = yield* begin
      expect(tagsOf(yield* heard)).toEqual(["Expired", "Created"])
      expect((yield* visit(last.token, (session) => session.get(A))).value._tag).toBe("Some")
    }))
})

describe("KeyValueStore", () => {
  const make: Make = (options) =>
    Layer.provide(KeyValueStore.layer(options), Layer.succeed(KeyValues.KeyValueStore, overMap().store))

  everyServerStore(() => make)

  it.scoped("N2: each session that the clean-up removes is an event, and the mark of a renewal is none", () =>
    expiring(make))
})

describeSharedStores((newPlace) => {
  everyServerStore(() => {
    const place = newPlace()
    return (options) => storeAt(place, options)
  })

  it.scoped("N7: where the store can count its sessions, the number leaves out what has expired and the marks of renewals", () =>
    Effect.gen(function*() {
      const place = newPlace()
      // Before the store is built: a driver may look after its connections once a minute, from the time of its start on.
      yield* TestClock.setTime(Date.now())
      const { signIn, store } = yield* stage((options) => storeAt(place, options), { expiry: "1 hour" })
      const { visit } = requestsTo(store)
      yield* signIn("ada")
      yield* TestClock.adjust("30 minutes")
      const { token } = yield* visit(undefined, (session) => session.insert(A, "a"))
      yield* visit(token, (session) => session.renew)
      const before = yield* store.count
      yield* TestClock.adjust("40 minutes")
      const after = yield* store.count
      const counts = [before, after].map((count) => count._tag === "Some" ? count.value : undefined)
      expect(counts).toEqual(place.dialect === "redis" ? [undefined, undefined] : [2, 1])
    }))
})
