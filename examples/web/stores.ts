/**
 * Chooses the store by the variable `STORE`. If it is not set, the configuration file chooses; where that leaves the store to
 * the app (`Tower`), the sessions are in memory. The options of the cookie and the session come from the file in either case.
 */
import { Config, Context, Effect, Layer, Option } from "effect"
import type { SessionConfig } from "effect-session"
import { SessionStore } from "effect-session"
import { configuration, keysOf } from "./configuration.js"

export type Store = (
  options: SessionConfig.SessionConfigOptions,
  config: SessionConfig.FileConfig
) => Layer.Layer<SessionStore.SessionStore, unknown>

/** Loads the client of a database only if its store was chosen. */
const lazily = (load: () => Promise<{ readonly store: Store }>): Store => (options, config) =>
  Layer.unwrapEffect(Effect.map(Effect.promise(load), ({ store }) => store(options, config)))

const stores = {
  memory: (options) => SessionStore.layerMemory(options),
  cookie: (options, config) =>
    Layer.unwrapEffect(Effect.map(keysOf(config), (keys) => SessionStore.layerCookie({ ...options, keys }))),
  redis: lazily(() => import("./stores/redis.js")),
  postgres: lazily(() => import("./stores/postgres.js")),
  mysql: lazily(() => import("./stores/mysql.js")),
  sqlite: lazily(() => import("./stores/sqlite.js")),
  files: lazily(() => import("./stores/files.js"))
} satisfies Record<string, Store>

type Name = keyof typeof stores

const chosen = Config.option(Config.literal(...Object.keys(stores) as ReadonlyArray<Name>)("STORE"))

/** The name of the store, for the greeting and the panel. */
export class StoreName extends Context.Tag("web/StoreName")<StoreName, string>() {}

export const StoreNameLive: Layer.Layer<StoreName, unknown> = Layer.effect(
  StoreName,
  Effect.gen(function*() {
    const name = yield* chosen
    if (Option.isSome(name)) return name.value
    const { store } = yield* configuration
    return store.type === "Tower" ? "memory" : store.type.toLowerCase()
  })
)

export const StoreLive: Layer.Layer<SessionStore.SessionStore, unknown> = Layer.unwrapEffect(
  Effect.gen(function*() {
    const name = yield* chosen
    const config = yield* configuration
    return Option.match(name, {
      onNone: (): Layer.Layer<SessionStore.SessionStore, unknown> =>
        SessionStore.layerConfig({ from: Effect.succeed(config), server: (options) => stores.memory(options) }),
      onSome: (store) => stores[store](config.options, config)
    })
  })
)
