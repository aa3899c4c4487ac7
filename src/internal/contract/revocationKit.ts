/**
 * What the rows about revocations act in, and what they share.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { expect } from "vitest"
import * as RequestContext from "../../RequestContext.js"
import type { SessionConfigOptions } from "../../SessionConfig.js"
import type * as Sessions from "../../Sessions.js"
import * as random from "../codec/random.js"
import type { RevocationService } from "../store/revocation.js"
import type { StandingClock } from "../testing/clock.js"
import type { Browser, Handler, Visit, VisitOptions, World } from "./world.js"

/**
 * - `revocation`: the store of revocations that the row is about.
 * - `world`: an app over the cookie store with that one, or with another one in its place.
 */
export interface RevocationKit {
  readonly revocation: RevocationService
  readonly world: (
    options?: SessionConfigOptions,
    extra?: { readonly revocation?: RevocationService; readonly clock?: StandingClock }
  ) => Effect.Effect<World, unknown, Scope.Scope>
}

export interface RevocationRow {
  readonly title: string
  readonly run: (kit: RevocationKit) => Effect.Effect<void, unknown, Scope.Scope>
}

export const row = (title: string, run: RevocationRow["run"]): RevocationRow => ({ title, run })

export const hour = 60 * 60 * 1000

/** The store provides `Sessions`, beside what handlers of every store may use. */
export const visit = <A, E>(
  browser: Browser,
  effect: Effect.Effect<A, E, Handler | Sessions.Sessions>,
  options?: VisitOptions
): Effect.Effect<Visit<A, E>> => browser.visit(effect as Effect.Effect<A, E, Handler>, options)

export const who = Effect.map(RequestContext.signedIn, Option.map(({ subject }) => subject))

/** No two rows share a subject, because they may share a database. */
export const freshSubject = (): string => `ada-${random.sid()}`

export const signedIn = (world: World, subject: string) =>
  Effect.gen(function*() {
    const browser = world.browser()
    yield* visit(browser, RequestContext.bind(subject))
    return browser
  })

export const expectSignedIn = (browser: Browser, subject: string | undefined) =>
  Effect.map(visit(browser, who), ({ value }) => expect(value).toEqual(Option.fromNullable(subject)))

export type Counts = Record<"check" | "deny" | "denyOlder", number>

export const counting = (revocation: RevocationService) => {
  let counts: Counts = { check: 0, deny: 0, denyOlder: 0 }
  const counted =
    <Args extends ReadonlyArray<unknown>, A>(name: keyof Counts, f: (...args: Args) => A) => (...args: Args) => {
      counts[name]++
      return f(...args)
    }
  return {
    service: {
      ...revocation,
      check: counted("check", revocation.check),
      deny: counted("deny", revocation.deny),
      denyOlder: counted("denyOlder", revocation.denyOlder)
    } satisfies RevocationService,
    taken: () => {
      const taken = counts
      counts = { check: 0, deny: 0, denyOlder: 0 }
      return taken
    }
  }
}

export const calls = (over: Partial<Counts>): Counts => ({ check: 0, deny: 0, denyOlder: 0, ...over })
