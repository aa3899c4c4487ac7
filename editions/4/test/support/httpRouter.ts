/**
 * A router in the style of Effect 3, whose app is an effect: the tests that are the same in both editions describe their apps
 * with it, beside the module that is called so in Effect 4.
 */
import { Context, Effect } from "effect"
import { HttpRouter as Router, HttpServerError, HttpServerRequest, type HttpServerResponse } from "effect/http"

export * from "effect/http/HttpRouter"

type Response = HttpServerResponse.HttpServerResponse
/** An answer by itself is an effect in Effect 3. */
type App<E, R> = Effect.Effect<Response, E, R> | Response

const effectOf = <E, R>(app: App<E, R>): Effect.Effect<Response, E, R> =>
  Effect.isEffect(app) ? app : Effect.succeed(app)

interface Route {
  readonly method: string | undefined
  readonly path: string
  readonly app: App<unknown, unknown>
}

type Without<R> = Exclude<R, Router.RouteContext>

export interface HttpRouter<E = never, R = never>
  extends Effect.Effect<Response, E | HttpServerError.HttpServerError, Without<R> | HttpServerRequest.HttpServerRequest>
{
  readonly routes: ReadonlyArray<Route>
}

const paramsOf = (pattern: string, path: string): Record<string, string> | undefined => {
  const names: Array<string> = []
  const text = pattern.replace(/\/$/, "").replace(/\*$/, ".*").replace(/:(\w+)/g, (_, name: string) => {
    names.push(name)
    return "([^/]+)"
  })
  const match = new RegExp(`^${text}/?$`).exec(path)
  return match === null
    ? undefined
    : Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1])]))
}

/** As in the platform's own router, a route is interrupted when its client has gone; an app without one is not. */
const make = <E, R>(routes: ReadonlyArray<Route>): HttpRouter<E, R> => {
  const app = Effect.withFiber<Response, unknown, unknown>((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
    const path = request.url.split("?", 1)[0]
    for (const { app, method, path: pattern } of routes) {
      if (method !== undefined && method !== request.method && !(method === "GET" && request.method === "HEAD")) {
        continue
      }
      const params = paramsOf(pattern, path)
      if (params === undefined) continue
      const route = { params, route: Router.route("GET", "/", app as never) } as never
      return Effect.interruptible(Effect.provideService(effectOf(app), Router.RouteContext, route))
    }
    return Effect.fail(new HttpServerError.HttpServerError({ reason: new HttpServerError.RouteNotFound({ request }) }))
  })
  return Object.assign(app, { routes }) as unknown as HttpRouter<E, R>
}

export const empty: HttpRouter = make([])

const route =
  (method: string | undefined) =>
  <E2 = never, R2 = never>(path: string, app: App<E2, R2>) =>
  <E, R>(router: HttpRouter<E, R>): HttpRouter<E | E2, R | R2> =>
    make([...router.routes, { method, path, app: app as App<unknown, unknown> }])

export const get = route("GET")
export const head = route("HEAD")
export const post = route("POST")
export const put = route("PUT")
export const del = route("DELETE")
export const all = route(undefined)

export const concat =
  <E2, R2>(that: HttpRouter<E2, R2>) => <E, R>(router: HttpRouter<E, R>): HttpRouter<E | E2, R | R2> =>
    make([...router.routes, ...that.routes])

/** The app sees its own part of the path. */
const below = (prefix: string, app: App<unknown, unknown>): App<unknown, unknown> =>
  Effect.updateService(
    effectOf(app),
    HttpServerRequest.HttpServerRequest,
    (request) => request.modify({ url: request.url.slice(prefix.length) || "/" })
  )

export const mount =
  <E2, R2>(prefix: string, mounted: HttpRouter<E2, R2>) =>
  <E, R>(router: HttpRouter<E, R>): HttpRouter<E | E2, R | R2> =>
    make([
      ...router.routes,
      ...mounted.routes.map(({ app, method, path }) => ({ method, path: prefix + path, app: below(prefix, app) }))
    ])

export const mountApp =
  <E2 = never, R2 = never>(prefix: string, app: App<E2, R2>) =>
  <E, R>(router: HttpRouter<E, R>): HttpRouter<E | E2, R | R2> =>
    make([
      ...router.routes,
      { method: undefined, path: `${prefix}*`, app: below(prefix, app as App<unknown, unknown>) }
    ])
