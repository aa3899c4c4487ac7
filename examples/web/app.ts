/**
 * The app: its routes, and around them what every request goes through. Nothing here depends on the store.
 */
import type { HttpServerRequest } from "@effect/platform"
import { Layer } from "effect"
import { Csrf, Session } from "effect-session"
import { ErrorPages } from "./errorPages.js"
import { AccountRoutes } from "./routes/account.js"
import { AssetRoutes } from "./routes/assets.js"
import { DeviceRoutes } from "./routes/devices.js"
import { OtherSiteRoutes } from "./routes/otherSite.js"
import { PreferenceRoutes } from "./routes/preferences.js"
import { SeedRoutes } from "./routes/seed.js"
import { ShopRoutes } from "./routes/shop.js"

/** The routes of `curl`, which sends neither of the headers by which a browser says where a request comes from. */
const isCurl = ({ headers, url }: HttpServerRequest.HttpServerRequest): boolean =>
  /^\/session(\/|$)/.test(url) && headers["origin"] === undefined && headers["sec-fetch-site"] === undefined

/**
 * A layer that needs an `HttpRouter` and a `SessionStore`, and for its handlers `SignIn` and `StoreName`. What is provided later stands further
 * outside.
 */
export const AppLive = Layer.mergeAll(
  ShopRoutes,
  AccountRoutes,
  PreferenceRoutes,
  DeviceRoutes,
  OtherSiteRoutes,
  SeedRoutes,
  AssetRoutes
).pipe(
  Layer.provide(Csrf.layerRouterWith({ exempt: isCurl })),
  Layer.provide(ErrorPages),
  Layer.provide(Session.layerRouter)
)
