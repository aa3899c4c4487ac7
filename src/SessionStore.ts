/**
 * The store that an app swaps.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { boundMistakes } from "./internal/config/memoryBounds.js"
import type { FileConfig, SessionConfigOptions } from "./internal/config/model.js"
import type { Mistake } from "./internal/config/resolveOptions.js"
import * as cookieStore from "./internal/cookie/cookieStore.js"
import { hasWeakKey } from "./internal/cookie/keyMaterial.js"
import * as memory from "./internal/memory/backend.js"
import { indexedStore, resolved, serverStore, subjectBoundMistakes } from "./internal/server/layers.js"
import { SessionStore } from "./internal/store/contract.js"
import type { Sessions } from "./internal/store/subjectContract.js"
import * as KeyRing from "./KeyRing.js"
import { SessionBackend, type SubjectBound, SubjectIndex } from "./SessionBackend.js"
import * as SessionConfig from "./SessionConfig.js"
import { SessionConfigError } from "./SessionError.js"

export {
  type Base,
  type Empty,
  type Found,
  type Loaded,
  type Modified,
  type Save,
  type Saved,
  SessionStore,
  type SessionStoreService
} from "./internal/store/contract.js"

// ── layers ──

/**
 * - `keys`: the first seals, all open.
 * - `audience`: default empty; a session sealed for another audience is an empty one. For apps that share a key and a
 *   cookie name.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieOptions extends SessionConfigOptions {
  readonly keys: KeyRing.KeyRing
  readonly audience?: string | undefined
}

/**
 * - `subjectBound`: how many sessions a subject may have, and what happens to one more: the oldest is evicted, or `bind`
 *   fails with `TooManySessions`. Default: no bound.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions extends SessionConfigOptions {
  readonly subjectBound?: SubjectBound | undefined
}

/**
 * - `maxSessions`: default 1,000,000.
 * - `maxBytes`: default 512 MiB, of everything the sessions take.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions extends ServerOptions {
  readonly maxSessions?: number | undefined
  readonly maxBytes?: number | undefined
}

/**
 * Sessions sealed into their cookie (AES-256-GCM); nothing is kept on the server.
 *
 * For small data: name and value have at most 4096 octets together. What it cannot do: a session cannot be revoked, and an
 * older seal reads again until it expires, so that counters, one-time tokens and balances do not belong here; parallel
 * requests of one browser overwrite each other. Expires 30 days after its creation unless `absoluteExpiry` says otherwise.
 *
 * Fails with `SessionConfigError` at start-up.
 *
 * @example
 * ```ts
 * import { KeyRing, SessionStore } from "effect-session"
 * import { Config, Effect, Layer } from "effect"
 *
 * const SessionsLive = Layer.unwrapEffect(Effect.gen(function*() {
 *   const keys = yield* Effect.flatMap(Config.redacted("SESSION_SECRET"), KeyRing.derive)
 *   return SessionStore.layerCookie({ keys, expiry: "1 hour" })
 * }))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerCookie = (options: CookieOptions): Layer.Layer<SessionStore, SessionConfigError> =>
  Layer.effect(
    SessionStore,
    Effect.suspend(() => {
      const { audience = "", keys } = options
      const hasKeys = Predicate.hasProperty(keys, KeyRing.TypeId)
      return Effect.map(
        resolved(options, "client", { memory: false, weakKey: hasKeys && hasWeakKey(keys) }, (config) => [
          ...(hasKeys ? [] : [noKeys]),
          ...(typeof audience !== "string"
            ? [{ path: "audience", message: "must be text" }]
            : hasKeys && cookieStore.make(config, keys, audience).tooLarge(0) !== undefined
            ? [noRoom]
            : [])
        ]),
        (config) => cookieStore.make(config, keys, audience)
      )
    })
  )

const noKeys: Mistake = { path: "keys", message: "must be a KeyRing: KeyRing.derive or KeyRing.fromBytes make one" }

const noRoom: Mistake = {
  path: "audience",
  message: "is so long that name and audience alone fill the cookie: use a short name"
}

/**
 * A server store over a `SessionBackend`: the cookie holds a random token, the backend a record under its hash.
 *
 * @example
 * ```ts
 * import { SessionBackend, SessionStore } from "effect-session"
 * import { Layer } from "effect"
 *
 * declare const MyBackend: Layer.Layer<SessionBackend.SessionBackend>
 *
 * const SessionsLive = SessionStore.layerBackend({ expiry: "2 hours" }).pipe(Layer.provide(MyBackend))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend = (
  options: SessionConfigOptions = {}
): Layer.Layer<SessionStore, SessionConfigError, SessionBackend> =>
  Layer.scoped(
    SessionStore,
    Effect.gen(function*() {
      const config = yield* resolved(options, "server", { memory: false, weakKey: false }, () => [])
      return yield* serverStore(config, yield* SessionBackend, undefined, undefined)
    })
  )

/**
 * {@link layerBackend} for a backend that can index: with `Sessions`, and `RequestContext.bind` under a bound.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackendIndexed = (
  options: ServerOptions = {}
): Layer.Layer<SessionStore | Sessions, SessionConfigError, SessionBackend | SubjectIndex> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const config = yield* resolved(
        options,
        "server",
        { memory: false, weakKey: false },
        () => subjectBoundMistakes(options.subjectBound)
      )
      return yield* indexedStore(config, yield* SessionBackend, yield* SubjectIndex, options.subjectBound)
    })
  )

/**
 * Sessions in this process's memory: for development, for tests, and for one process that may forget.
 *
 * Bounded by number and by size; the least recently used go first, and those that never came back before those that did.
 *
 * @example
 * ```ts
 * import { SessionStore } from "effect-session"
 *
 * const SessionsLive = SessionStore.layerMemory({ secure: false, expiry: "1 hour", maxSessions: 50_000 })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (
  options: MemoryOptions = {}
): Layer.Layer<SessionStore | Sessions, SessionConfigError> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const { maxBytes = 512 * 1024 * 1024, maxSessions = 1_000_000 } = options
      const config = yield* resolved(options, "server", { memory: true, weakKey: false }, ({ maxSessionBytes }) => [
        ...subjectBoundMistakes(options.subjectBound),
        ...boundMistakes({ maxSessions, maxBytes }, maxSessionBytes)
      ])
      const { backend, index } = memory.make({ maxSessions, maxBytes })
      return yield* indexedStore(config, backend, index, options.subjectBound)
    })
  )

/**
 * What `Tower` in a configuration means: a function from the configured options to the layer of a store, or the layer of a
 * backend.
 *
 * @since 0.1.0
 * @category models
 */
export type Server<E = never, R = never> =
  | ((options: SessionConfigOptions) => Layer.Layer<SessionStore, E, R>)
  | Layer.Layer<SessionBackend, E, R>

/**
 * {@link Server} for an app that lists, bounds or revokes the sessions of its subjects: of a store that can index.
 *
 * @since 0.2.0
 * @category models
 */
export type IndexedServer<E = never, R = never> =
  | ((options: ServerOptions) => Layer.Layer<SessionStore | Sessions, E, R>)
  | Layer.Layer<SessionBackend | SubjectIndex, E, R>

/**
 * The store that the configuration names: `Cookie`, `Memory`, or for `Tower` the `server` that the app gives.
 *
 * - `server`: what `Tower` means here. Without it a configuration that says `Tower` does not start.
 * - `from`: where the configuration is; default `SessionConfig.fromFile()`, which is `config/<environment>.yaml`. For the
 *   environment's variables give `SessionConfig.fromConfig`.
 * - `options`: options in code beside it, such as `commitWhen`, which no file can hold. What the configuration says counts
 *   before them.
 *
 * `RequestContext.bind` and `Sessions` need {@link layerConfigServer}: a session in a cookie cannot be revoked.
 *
 * @example
 * ```ts
 * import { SessionConfig, SessionStore } from "effect-session"
 *
 * // config/<environment>.yaml
 * const SessionsLive = SessionStore.layerConfig({ server: (options) => SessionStore.layerMemory(options) })
 *
 * // SESSION_STORE, SESSION_EXPIRY, …
 * const FromEnvironment = SessionStore.layerConfig({
 *   from: SessionConfig.fromConfig,
 *   options: { commitWhen: (status) => status < 400 }
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = <E = never, R = never, E2 = never, R2 = never>(
  options: {
    readonly server?: Server<E, R> | undefined
    readonly from?: Effect.Effect<FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: SessionConfigOptions | undefined
  } = {}
): Layer.Layer<SessionStore, SessionConfigError | E | E2, R | R2> =>
  Layer.unwrapEffect(
    Effect.map(
      options.from ?? SessionConfig.fromFile(),
      ({ options: declared, store }): Layer.Layer<SessionStore, SessionConfigError | E, R> => {
        const session = { ...options.options, ...declared }
        switch (store.type) {
          case "Cookie":
            return layerCookie({ ...session, keys: store.keys, audience: store.audience })
          case "Memory":
            return layerMemory({ ...session, maxSessions: store.maxSessions, maxBytes: store.maxBytes })
          case "Tower": {
            const { server } = options
            if (server === undefined) return Layer.fail(noServer("layerConfig"))
            return Layer.isLayer(server)
              ? Layer.provide(layerBackend(session), server as Layer.Layer<SessionBackend, E, R>)
              : (server as Exclude<typeof server, Layer.Layer<SessionBackend, E, R>>)(session)
          }
        }
      }
    )
  )

/**
 * {@link layerConfig} for an app that needs `Sessions` or `RequestContext.bind`: the configuration may say `Memory` or
 * `Tower`.
 *
 * - `server`: what `Tower` means here: a function from the options to a store that gives `Sessions` too, or the layer of a
 *   backend with its index.
 * - `from`: as there.
 * - `options`: as there, and `subjectBound`, of Memory and of the `server`.
 *
 * Fails with `SessionConfigError` at start-up, also when the configuration says `Cookie`: it keeps nothing on the server
 * that could be listed or revoked.
 *
 * @example
 * ```ts
 * import { SessionConfig, SessionStore } from "effect-session"
 * import * as RedisStore from "effect-session/SessionStore/Redis"
 *
 * const SessionsLive = SessionStore.layerConfigServer({
 *   from: SessionConfig.fromConfig,
 *   options: { subjectBound: { max: 5, whenFull: "evict-oldest" } },
 *   server: RedisStore.layerBackend()
 * })
 * ```
 *
 * @since 0.2.0
 * @category layers
 */
export const layerConfigServer = <E = never, R = never, E2 = never, R2 = never>(
  options: {
    readonly server?: IndexedServer<E, R> | undefined
    readonly from?: Effect.Effect<FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: ServerOptions | undefined
  } = {}
): Layer.Layer<SessionStore | Sessions, SessionConfigError | E | E2, R | R2> =>
  Layer.unwrapEffect(
    Effect.map(
      options.from ?? SessionConfig.fromFile(),
      (
        { options: declared, store }
      ): Layer.Layer<SessionStore | Sessions, SessionConfigError | E, R> => {
        const session = { ...options.options, ...declared }
        switch (store.type) {
          case "Cookie":
            return Layer.fail(cookieIsNoServer)
          case "Memory":
            return layerMemory({ ...session, maxSessions: store.maxSessions, maxBytes: store.maxBytes })
          case "Tower": {
            const { server } = options
            if (server === undefined) return Layer.fail(noServer("layerConfigServer"))
            return Layer.isLayer(server)
              ? Layer.provide(layerBackendIndexed(session), server as Layer.Layer<SessionBackend | SubjectIndex, E, R>)
              : (server as Exclude<typeof server, Layer.Layer<SessionBackend | SubjectIndex, E, R>>)(session)
          }
        }
      }
    )
  )

const storeTypeMistake = (message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path: "session_store.type", message }] })

const noServer = (layer: string): SessionConfigError =>
  storeTypeMistake(
    "Tower needs the server store that the app provides: "
      + `SessionStore.${layer}({ server: (options) => … }), with the layer of Redis, Sql, KeyValueStore or a backend`
  )

const cookieIsNoServer = storeTypeMistake(
  "must be Memory or Tower: the app lists, bounds or revokes sessions, and with Cookie nothing of them is on the server. "
    + "An app that does without takes SessionStore.layerConfig"
)
