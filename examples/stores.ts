/**
 * Chooses the store by the variable `STORE`, or as config/<environment>.yaml says if the variable is not set. The options of
 * the cookie and the session come from the file in either case.
 */
import { Config, Effect, Layer, Option } from "effect"
import type { SessionConfig } from "effect-session"
import { KeyRing, SessionStore } from "effect-session"
import { configuration } from "./configuration.js"

export type Store = (
  options: SessionConfig.SessionConfigOptions,
  config: SessionConfig.FileConfig
) => Layer.Layer<SessionStore.SessionStore, unknown>

/** Loads the client of a database only if its store was chosen. */
const lazily = (load: () => Promise<{ readonly store: Store }>): Store => (options, config) =>
  Layer.unwrapEffect(Effect.map(Effect.promise(load), ({ store }) => store(options, config)))

const stores = {
  cookie: (options, config) =>
    Layer.unwrapEffect(Effect.map(
      config.store.type === "Cookie" ? Effect.succeed(config.store.keys) : KeyRing.generate,
      (keys) => SessionStore.layerCookie({ ...options, keys })
    )),
  memory: (options) => SessionStore.layerMemory(options),
  redis: lazily(() => import("./stores/redis.js")),
  postgres: lazily(() => import("./stores/postgres.js")),
  mysql: lazily(() => import("./stores/mysql.js")),
  sqlite: lazily(() => import("./stores/sqlite.js")),
  files: lazily(() => import("./stores/files.js"))
} satisfies Record<string, Store>

type Name = keyof typeof stores

const chosen = Config.option(Config.literal(...Object.keys(stores) as ReadonlyArray<Name>)("STORE"))

/** The name of the store in the greeting. */
export const storeName: Effect.Effect<string, unknown> = Effect.flatMap(
  chosen,
  Option.match({
    onSome: Effect.succeed,
    onNone: () => Effect.map(configuration, (config) => config.store.type.toLowerCase())
  })
)

export const StoreLive: Layer.Layer<SessionStore.SessionStore, unknown> = Layer.unwrapEffect(
  Effect.gen(function*() {
    const name = yield* chosen
    const config = yield* configuration
    return Option.match(name, {
      onNone: (): Layer.Layer<SessionStore.SessionStore, unknown> =>
        SessionStore.layerConfig({ from: Effect.succeed(config) }),
      onSome: (store) => stores[store](config.options, config)
    })
  })
)
