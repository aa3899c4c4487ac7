/**
 * Rows N as they hold on every store: what happens to sessions, as events.
 */
import * as Effect from "effect/Effect"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { RequestId } from "../../RequestId.js"
import { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import type { SessionEvent } from "../store/event.js"
import { failureOf, Other, User } from "./fixtures.js"
import { both, client, type Row, server } from "./row.js"
import { cookieOf, type World } from "./world.js"

/** What was published while the effect ran. */
const during = <A, E, R>(world: World, act: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<SessionEvent>, E, R> =>
  Effect.suspend(() => {
    const inbox = world.store.events.subscribe(10_000)
    return act.pipe(
      Effect.ensuring(Effect.sync(() => inbox.close())),
      Effect.zipRight(inbox.take(10_000)),
      Effect.map((events) => events ?? [])
    )
  })

const tagsOf = (events: ReadonlyArray<SessionEvent>): ReadonlyArray<string> => events.map(({ _tag }) => _tag)

const only = <Tag extends SessionEvent["_tag"]>(
  tag: Tag,
  events: ReadonlyArray<SessionEvent>
): Extract<SessionEvent, { readonly _tag: Tag }> => {
  expect(tagsOf(events)).toEqual([tag])
  return events[0] as Extract<SessionEvent, { readonly _tag: Tag }> // the line above has seen to it
}

/** `bind` asks for `Sessions` by its type alone. */
const bind = (subject: string) =>
  RequestContext.bind(subject) as Effect.Effect<void, unknown, RequestContext.RequestContext>

const begin = RequestContext.insert(User, "ada")

export const rows: ReadonlyArray<Row> = [
  both(
    "N1: a session that begins and one that is renewed are one event each, and reading or changing it is none",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const created = only("Created", yield* during(world, browser.visit(begin)))
        const quiet = yield* during(
          world,
          Effect.all([
            browser.visit(RequestContext.get(User)),
            browser.visit(RequestContext.insert(Other, "more")),
            browser.visit(RequestContext.clear),
            browser.visit(RequestContext.setExpiry("2 hours"))
          ])
        )
        expect(quiet).toEqual([])
        const renewed = only("Renewed", yield* during(world, browser.visit(RequestContext.renew)))
        expect(renewed.previous).toBe(created.session)
        expect(renewed.session).not.toBe(created.session)
      })
  ),

  both(
    "N1: what the response drops and what the store does not save is no session that begins",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        expect(yield* during(world, world.browser().visit(begin, { status: 500 }))).toEqual([])
        const failing = yield* kit.world({}, {
          before: (call) => call === "save" ? SessionStoreError.of("insert", "Unavailable") : Effect.void
        })
        expect(tagsOf(yield* during(failing, failing.browser().visit(begin)))).toEqual(["CommitFailed"])
      })
  ),

  both(
    "N1: a flush is one event for a session that was read and for one that was not, and none where there is no session",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const out of [RequestContext.flush, Effect.zipRight(RequestContext.get(User), RequestContext.flush)]) {
          const browser = world.browser()
          const { session } = only("Created", yield* during(world, browser.visit(begin)))
          const left = only("SignedOut", yield* during(world, browser.visit(out)))
          expect([left.session, left.reason]).toEqual([session, "Flush"])
          expect(yield* during(world, browser.visit(out))).toEqual([])
        }
      })
  ),

  server(
    "N1: a sign-in is an event that names its subject and the session before it, and so is the sign-out, read or not",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        for (const out of [RequestContext.flush, Effect.zipRight(RequestContext.get(User), RequestContext.flush)]) {
          const browser = world.browser()
          const { session } = only("Created", yield* during(world, browser.visit(begin)))
          const signedIn = only("SignedIn", yield* during(world, browser.visit(bind("ada"))))
          expect([signedIn.subject, signedIn.previous]).toEqual(["ada", session])
          const left = only("SignedOut", yield* during(world, browser.visit(out)))
          expect([left.session, left.subject]).toEqual([signedIn.session, "ada"])
        }
        const anew = yield* during(world, world.browser().visit(bind("bob")))
        expect(anew).toMatchObject([{ _tag: "Created", subject: "bob" }, { _tag: "SignedIn", subject: "bob" }])
      })
  ),

  server(
    "N1: a sign-in of somebody else ends the session of the first and begins another",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const [, first] = yield* during(world, browser.visit(bind("ada")))
        const events = yield* during(world, browser.visit(bind("eve")))
        expect(events).toMatchObject([
          {
            _tag: "SignedOut",
            subject: "ada",
            reason: "OtherSubject",
            session: (first as { session: string }).session
          },
          { _tag: "Created", subject: "eve" },
          { _tag: "SignedIn", subject: "eve" }
        ])
      })
  ),

  server("S9: a flush with an old id is the sign-out of the session that replaced it", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(bind("ada"))
      const old = cookieOf(world, browser.token())
      const { session } = only("Renewed", yield* during(world, browser.visit(RequestContext.renew)))
      const left = only("SignedOut", yield* during(world, world.browser().visit(RequestContext.flush, { cookie: old })))
      expect([left.session, left.subject]).toEqual([session, "ada"])
    })),

  both(
    "N3: a cookie that cannot be this store's is an event, once in a request, and no cookie is none",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const twice = Effect.zipRight(RequestContext.get(User), RequestContext.get(Other))
        const events = yield* during(
          world,
          world.browser().visit(twice, { cookie: cookieOf(world, "not-of-this-form") })
        )
        expect(only("Tampered", events).reason).toBe("Malformed")
        expect(yield* during(world, world.browser().visit(twice))).toEqual([])
      })
  ),

  client("N3: a seal that no key opens is an event", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      const browser = world.browser()
      yield* browser.visit(begin)
      const token = browser.token() ?? ""
      const changed = (token.startsWith("A") ? "B" : "A") + token.slice(1)
      const events = yield* during(
        world,
        browser.visit(RequestContext.get(User), { cookie: cookieOf(world, changed) })
      )
      expect(only("Tampered", events).reason).toBe("NotAuthentic")
    })),

  client("N2: a seal whose time is over is an event that names its session", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world({ expiry: "1 hour" })
      const browser = world.browser()
      const { session } = only("Created", yield* during(world, browser.visit(begin)))
      const cookie = cookieOf(world, browser.token())
      world.clock.move(2 * 60 * 60 * 1000)
      const expired = only("Expired", yield* during(world, browser.visit(RequestContext.get(User), { cookie })))
      expect(expired.session).toBe(session)
    })),

  server(
    "S9: the use of an old id is an event once ten seconds have passed, and names both sessions",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const created = only("Created", yield* during(world, browser.visit(begin)))
        const cookie = cookieOf(world, browser.token())
        const renewed = only("Renewed", yield* during(world, browser.visit(RequestContext.renew)))
        const read = world.browser().visit(RequestContext.get(User), { cookie })
        expect(yield* during(world, read)).toEqual([])
        world.clock.move(11_000)
        const used = only("OldIdUsed", yield* during(world, read))
        expect([used.previous, used.session]).toEqual([created.session, renewed.session])
      })
  ),

  both(
    "N3: a value that is too large is an event with the size and the limit of the error",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(begin)
        const large = RequestContext.insert(Other, "x".repeat(300_000))
        let error: unknown
        const events = yield* during(
          world,
          Effect.map(browser.visit(Effect.zipRight(RequestContext.get(User), large)), ({ exit }) => {
            error = failureOf(exit)
          })
        )
        expect(error).toBeInstanceOf(SessionTooLarge)
        const { limit, size } = error as SessionTooLarge
        expect(only("TooLarge", events)).toMatchObject({ limit, size, session: expect.stringMatching(/^[\w-]{43}$/) })
      })
  ),

  both(
    "N3: a commit that the store fails is an event with the operation and the reason, for a commit of the handler too",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world({}, {
          before: (call) => call === "save" ? SessionStoreError.of("update", "Timeout") : Effect.void
        })
        const handled = Effect.zipRight(begin, Effect.ignore(RequestContext.commit))
        for (const [effect, status, times] of [[begin, 503, 1], [handled, 503, 2]] as const) {
          let answered: number | undefined
          const events = yield* during(
            world,
            Effect.map(world.browser().visit(effect), ({ status }) => {
              answered = status
            })
          )
          expect(answered).toBe(status)
          expect(events).toHaveLength(times)
          for (const event of events) {
            expect(event).toMatchObject({ _tag: "CommitFailed", operation: "update", reason: "Timeout" })
          }
        }
      })
  ),

  both("N4: an event has the time, the cookie's name and the id of its request", (kit) =>
    Effect.gen(function*() {
      const world = yield* kit.world()
      world.clock.move(1234)
      let requestId: string | undefined
      const events = yield* during(
        world,
        Effect.map(world.browser().visit(Effect.zipRight(begin, RequestId)), ({ value }) => {
          requestId = value
        })
      )
      expect(requestId).toMatch(/^[\w-]{36}$/)
      expect(events).toEqual([{
        _tag: "Created",
        at: world.clock.now(),
        cookie: world.store.config.name,
        requestId,
        session: expect.stringMatching(/^[\w-]{43}$/),
        subject: undefined
      }])
    })),

  both(
    "N4: an event has neither the token nor a value, and names the session by a hash",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const tokens: Array<string> = []
        const ids: Array<string> = []
        const keep = Effect.sync(() => tokens.push(browser.token() ?? ""))
        const read = Effect.map(RequestContext.sessionId, (id) => {
          if (id._tag === "Some") ids.push(id.value)
        })
        const events = yield* during(
          world,
          Effect.gen(function*() {
            yield* browser.visit(RequestContext.insert(User, "a value of the session"))
            yield* keep
            yield* browser.visit(Effect.zipRight(read, RequestContext.renew))
            yield* keep
            yield* browser.visit(Effect.zipRight(read, RequestContext.flush))
          })
        )
        expect(tagsOf(events)).toEqual(["Created", "Renewed", "SignedOut"])
        const text = JSON.stringify(events)
        for (const secret of [...tokens, "a value of the session"]) expect(text).not.toContain(secret)
        // On a server store the id is a hash itself: what an operator sees here can be revoked.
        expect(ids.map((id) => text.includes(id))).toEqual(kit.kind === "server" ? [true, true] : [false, false])
      })
  ),

  server(
    "N5: a flush of a session that was not read looks its subject up only for a subscriber",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        yield* browser.visit(bind("ada"))
        expect(world.store.events.isHeard).toBe(false)
        expect((yield* browser.visit(RequestContext.flush)).status).toBe(200)
        expect(world.calls).toMatchObject({ end: 1, load: 0 })
      })
  )
]
