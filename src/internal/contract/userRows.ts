/**
 * Rows U as they hold on every store: who has signed in, as handlers ask for it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import { NotSignedIn, SessionSchemaError } from "../../SessionError.js"
import * as Subject from "../../Subject.js"
import { failureOf, User } from "./fixtures.js"
import { both, type Row, server } from "./row.js"

const Numbered = Subject.make(Schema.NumberFromString.pipe(Schema.int()))

/** `bind` asks for `Sessions` by its type alone. */
const signingIn = <E>(bind: Effect.Effect<void, E, unknown>) =>
  bind as Effect.Effect<void, E, RequestContext.RequestContext>

export const rows: ReadonlyArray<Row> = [
  both(
    "U1: where nobody has signed in requireSignedIn fails with NotSignedIn, with one load and no cookie",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const anonymous = yield* browser.visit(RequestContext.requireSignedIn)
        expect([anonymous.status, anonymous.setCookies]).toEqual([401, []])
        expect(failureOf(anonymous.exit)).toBeInstanceOf(NotSignedIn)
        yield* browser.visit(RequestContext.insert(User, "ada"))
        const calls = world.calls.load
        const withSession = yield* browser.visit(
          Effect.zipRight(RequestContext.get(User), RequestContext.requireSignedIn)
        )
        expect([withSession.status, failureOf(withSession.exit)]).toEqual([401, new NotSignedIn()])
        expect(world.calls.load - calls).toBe(1)
      })
  ),

  server(
    "U1: after a sign-in requireSignedIn returns the subject and when it signed in",
    (kit) =>
      Effect.gen(function*() {
        const world = yield* kit.world()
        const browser = world.browser()
        const first = yield* browser.visit(
          Effect.zipRight(signingIn(RequestContext.bind("ada")), RequestContext.requireSignedIn)
        )
        const expected = { subject: "ada", authenticatedAt: world.clock.now() }
        expect(first.value).toEqual(expected)
        world.clock.move(1000)
        expect((yield* browser.visit(RequestContext.requireSignedIn)).value).toEqual(expected)
        yield* browser.visit(RequestContext.flush)
        expect((yield* browser.visit(RequestContext.requireSignedIn)).status).toBe(401)
      })
  ),

  server(
    "U4: a typed subject is stored as its encoded text, and every operation returns what the schema decodes",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        yield* browser.visit(signingIn(Numbered.bind(7)))
        const { value } = yield* browser.visit(
          Effect.all([Numbered.signedIn, Numbered.requireSignedIn, Numbered.requireFresh("1 minute")])
        )
        const [optional, required, fresh] = value
        expect([optional._tag === "Some" && optional.value.subject, required.subject, fresh.subject]).toEqual([7, 7, 7])
        expect((yield* browser.visit(RequestContext.requireSignedIn)).value.subject).toBe("7")
      })
  ),

  server(
    "U4: a subject that does not fit the schema is a typed error that does not show it, and signs nobody in",
    (kit) =>
      Effect.gen(function*() {
        const browser = (yield* kit.world()).browser()
        const refused = yield* browser.visit(signingIn(Numbered.bind(1.5)))
        expect(failureOf(refused.exit)).toMatchObject({ _tag: "SessionSchemaError", direction: "encode" })
        expect((yield* browser.visit(RequestContext.requireSignedIn)).status).toBe(401)
        yield* browser.visit(signingIn(RequestContext.bind("a-secret-name")))
        for (const operation of [Numbered.signedIn, Numbered.requireSignedIn, Numbered.requireFresh("1 minute")]) {
          const { exit, status } = yield* browser.visit(
            operation as Effect.Effect<unknown, unknown, RequestContext.RequestContext>
          )
          const error = failureOf(exit)
          expect(error).toBeInstanceOf(SessionSchemaError)
          expect([status, error]).toMatchObject([500, { key: "(subject)", direction: "decode", path: "" }])
          expect(`${error} ${JSON.stringify(error)}`).not.toContain("a-secret-name")
        }
      })
  )
]
