/**
 * One app over one store, its browsers and its clock: what the behaviour rows act in.
 *
 * Every request is a real one through a web handler; what it does is an effect that the row gives, run as the handler.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as RequestContext from "../../RequestContext.js"
import * as RequestId from "../../RequestId.js"
import { SessionStore, type SessionStoreService } from "../../SessionStore.js"
import * as StandingClock from "../testing/clock.js"
import { CookieJar } from "../testing/jar.js"
import { webHandler } from "./webHandler.js"

export interface Calls {
  load: number
  save: number
  end: number
  modify: number
}

/** Runs before a call to the store: delays it, or fails in its place. */
export type Before = (call: keyof Calls) => Effect.Effect<void, unknown>

export interface World {
  readonly store: SessionStoreService
  readonly calls: Calls
  readonly clock: StandingClock.StandingClock
  readonly browser: () => Browser
}

export interface Browser {
  readonly jar: CookieJar
  /** the value of the session's cookie, as the next request would send it */
  readonly token: () => string | undefined
  readonly visit: <A, E>(
    effect: Effect.Effect<A, E, Handler>,
    options?: VisitOptions
  ) => Effect.Effect<Visit<A, E>>
}

/** What a handler may use. */
export type Handler = RequestContext.RequestContext | RequestId.RequestId | HttpServerRequest.HttpServerRequest

/**
 * - `status`: of the response, whatever the effect's outcome; by default 200, and what the platform makes of a failure.
 * - `cookie`: sent in place of the jar's.
 * - `keep`: false leaves the response's cookies aside: the response never reached the browser.
 */
export interface VisitOptions {
  readonly status?: number | undefined
  readonly cookie?: string | undefined
  readonly keep?: boolean | undefined
}

export interface Visit<A, E> {
  readonly exit: Exit.Exit<A, E>
  /** the effect's value; throws what it failed with */
  readonly value: A
  readonly status: number
  readonly headers: Headers
  readonly setCookies: ReadonlyArray<string>
}

const url = new URL("https://app.test/")

class Job {
  exit: Exit.Exit<unknown, unknown> | undefined
  constructor(readonly effect: Effect.Effect<unknown, unknown, Handler>, readonly status: number | undefined) {}
}

const app = (jobs: WeakMap<object, Job>) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const job = jobs.get(request.source as Request) // a web handler's request has nothing else
    if (job === undefined) return Effect.dieMessage("a request that no row has sent")
    return Effect.flatMap(Effect.exit(job.effect), (exit) => {
      job.exit = exit
      if (job.status !== undefined) return Effect.succeed(HttpServerResponse.empty({ status: job.status }))
      return Effect.as(exit, HttpServerResponse.empty({ status: 200 }))
    })
  }).pipe(RequestContext.middleware, RequestId.middleware)

const decorated = (store: SessionStoreService, calls: Calls, before: Before | undefined): SessionStoreService => {
  const around = <A, E, R>(call: keyof Calls, effect: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    calls[call] += 1
    // A row's own failure stands for the store's: it is of that type.
    return before === undefined
      ? effect()
      : Effect.zipRight(before(call) as Effect.Effect<void, E>, Effect.suspend(effect))
  }
  return {
    config: store.config,
    kind: store.kind,
    revocable: store.revocable,
    wellFormed: (value) => store.wellFormed(value),
    ping: store.ping,
    count: store.count,
    events: store.events,
    weigh: (key, text) => store.weigh(key, text),
    tooLarge: (weight, owner) => store.tooLarge(weight, owner),
    load: (tokens, now) => around("load", () => store.load(tokens, now)),
    save: (save, now) => around("save", () => store.save(save, now)),
    end: (base, now) => around("end", () => store.end(base, now)),
    modify: (token, loaded, f, passive) => around("modify", () => store.modify(token, loaded, f, passive))
  }
}

/** A world over a store of its own. `clock` is for two worlds over the same backend, which share it. */
export const make = (
  layer: Layer.Layer<SessionStore, unknown>,
  options: { readonly before?: Before; readonly clock?: StandingClock.StandingClock } = {}
): Effect.Effect<World, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const clock = options.clock ?? StandingClock.make(Date.now())
    const context = yield* Effect.withClock(Layer.build(layer), clock.clock)
    const calls: Calls = { load: 0, save: 0, end: 0, modify: 0 }
    const store = decorated(Context.get(context, SessionStore), calls, options.before)
    const jobs = new WeakMap<object, Job>()
    const handle = yield* webHandler(app(jobs), Context.add(context, SessionStore, store), clock.clock)
    const { name } = store.config

    const browser = (): Browser => {
      const jar = new CookieJar(false)
      const token = () => jar.live(clock.now()).find((cookie) => cookie.name === name)?.value
      const visit = <A, E>(effect: Effect.Effect<A, E, Handler>, options: VisitOptions = {}) =>
        Effect.promise(async (): Promise<Visit<A, E>> => {
          const cookie = options.cookie ?? jar.header(url, clock.now())
          const request = new Request(url, { method: "POST", headers: cookie === undefined ? {} : { cookie } })
          const job = new Job(effect, options.status)
          jobs.set(request, job)
          const response = await handle(request)
          const setCookies = response.headers.getSetCookie()
          if (options.keep !== false) { for (const header of setCookies) jar.set(url, header, clock.now()) }
          const exit = job.exit as Exit.Exit<A, E> // the effect's own exit, kept beside its type
          return {
            exit,
            status: response.status,
            headers: response.headers,
            setCookies,
            get value() {
              if (Exit.isSuccess(exit)) return exit.value
              throw new Error(`the handler failed: ${exit.cause}`)
            }
          }
        })
      return { jar, token, visit }
    }
    return { store, calls, clock, browser }
  })

/** The cookie that a browser would send for a token. */
export const cookieOf = (world: World, token: string | undefined): string => `${world.store.config.name}=${token}`
