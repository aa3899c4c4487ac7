/**
 * The store that an app swaps.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { boundMistakes } from "./internal/config/memoryBounds.js"
import { type Mistake, resolveOptions } from "./internal/config/resolveOptions.js"
import * as cookieStore from "./internal/cookie/cookieStore.js"
import { hasWeakKey } from "./internal/cookie/keyMaterial.js"
import * as memory from "./internal/memory/backend.js"
import * as cleanUp from "./internal/server/cleanUp.js"
import * as backendStore from "./internal/server/serverStore.js"
import * as sessions from "./internal/server/subjectSessions.js"
import * as KeyRing from "./KeyRing.js"
import {
  type Expiry,
  type Owner,
  type Patch,
  SessionBackend,
  type SessionBackendService,
  type StoredSession,
  type SubjectBound,
  SubjectIndex,
  type SubjectIndexService
} from "./SessionBackend.js"
import * as SessionConfig from "./SessionConfig.js"
import type { SessionConfigOptions } from "./SessionConfig.js"
import { SessionConfigError, type SessionStoreError, type SessionTooLarge } from "./SessionError.js"
import * as Sessions from "./Sessions.js"

/**
 * A session that a token opened.
 *
 * - `token`: what the cookie holds.
 * - `id`: what names the session without opening it: the SHA-256 of the token, or the `sid` of a sealed session.
 * - `reseal`: the token is to be replaced although nothing changed (sealed with an older key).
 *
 * @since 0.1.0
 * @category models
 */
export interface Found {
  readonly _tag: "Found"
  readonly token: string
  readonly id: string
  readonly session: StoredSession
  readonly reseal: boolean
}

/**
 * Why no token opened.
 *
 * - `Absent`: there was none. `Malformed`: not of the store's form. `NotAuthentic`: of the form, sealed by nobody we know.
 * - `Unknown`, `Expired`, `Corrupt`: authentic or well-formed, but no session that lives.
 *
 * @since 0.1.0
 * @category models
 */
export interface Empty {
  readonly _tag: "Empty"
  readonly reason: "Absent" | "Malformed" | "NotAuthentic" | "Unknown" | "Expired" | "Corrupt"
  /** for the log: something an operator should know; never holds a token or a value */
  readonly warning: string | undefined
}

/**
 * What `load` found.
 *
 * @since 0.1.0
 * @category models
 */
export type Loaded = Found | Empty

/**
 * The session that a save starts from. `session` is undefined for a write to a token that was never loaded; `id` is what
 * `load` answered with it, and saves a server store to hash the token again.
 *
 * @since 0.1.0
 * @category models
 */
export interface Base {
  readonly token: string
  readonly id?: string | undefined
  readonly session: StoredSession | undefined
}

/**
 * What a commit asks of the store.
 *
 * - `base`: undefined for a new session.
 * - `renew`: under a new id; needs a base that was loaded.
 * - `ifVersion`: only when the record still has this version, else `Conflict`.
 * - `owner`: of the new record; only for a new or renewed session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Save {
  readonly base: Base | undefined
  readonly patch: Patch
  readonly renew: boolean
  readonly ifVersion: number | undefined
  readonly owner: Owner | undefined
}

/**
 * How a save went.
 *
 * - `Saved`: `session` is undefined after a write to a token that was never loaded; `moved` says that this save moved the
 *   session's times.
 * - `Missing`: the token was never loaded, and the store does not know it (any more).
 * - `Conflict`: only with `ifVersion`.
 * - `Full`: the owner has as many sessions as the bound allows, and it refuses; nothing was written.
 * - `Ended`: the session was loaded and is gone: nothing was written, and no cookie may be sent (a removal would kill the
 *   cookie of its successor).
 *
 * @since 0.1.0
 * @category models
 */
export type Saved =
  | {
    readonly _tag: "Saved"
    readonly token: string
    readonly id: string
    readonly expiry: Expiry
    readonly moved: boolean
    readonly session: StoredSession | undefined
  }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Conflict" }
  | { readonly _tag: "Ended" }
  | { readonly _tag: "Full"; readonly limit: number }

/**
 * How a modification of a stored session went; `session` is the record as it is now.
 *
 * @since 0.1.0
 * @category models
 */
export type Modified<B> =
  | {
    readonly _tag: "Modified"
    readonly value: B
    readonly id: string
    readonly moved: boolean
    readonly session: StoredSession
  }
  | { readonly _tag: "Missing" }

/**
 * Token in, session out; changes in, token out. No HTTP.
 *
 * Every function takes the time it should use, in milliseconds, and must be called where it may act at once: a store that
 * needs no I/O may answer with an effect that is already done.
 *
 * - `config`: the resolved options of cookie and session.
 * - `kind`: `client`, everything is in the token; `server`, the token is a reference.
 * - `wellFormed`: whether a cookie's value can be a token at all; decided without cipher or I/O.
 * - `load`: the request's well-formed values of the cookie, in order; the first that is known and authentic wins.
 * - `save`, `end`: see {@link Save}; ending a session that is gone is fine.
 * - `modify`: server stores: reads the record, applies `f`, writes under compare-and-set, in a first-in first-out queue of
 *   this process's callers; `f` may run again. `loaded` is the record as the caller saw it. `f` answers no patch to write
 *   nothing.
 * - `weigh`, `tooLarge`: what an entry adds to the session's size, and whether a sum of them is too much.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionStoreService {
  readonly config: SessionConfig.SessionConfig
  readonly kind: "client" | "server"
  readonly wellFormed: (value: string) => boolean
  readonly load: (tokens: ReadonlyArray<string>, now: number) => Effect.Effect<Loaded, SessionStoreError>
  readonly save: (save: Save, now: number) => Effect.Effect<Saved, SessionStoreError | SessionTooLarge>
  readonly end: (base: Base, now: number) => Effect.Effect<void, SessionStoreError>
  readonly modify: <B, E, R>(
    token: string,
    loaded: StoredSession | undefined,
    f: (session: StoredSession) => Effect.Effect<readonly [value: B, patch: Option.Option<Patch>], E, R>
  ) => Effect.Effect<Modified<B>, E | SessionStoreError | SessionTooLarge, R>
  readonly weigh: (key: string, text: string) => number
  readonly tooLarge: (weight: number) => SessionTooLarge | undefined
}

/**
 * The tag of the store; a layer of this module or of a sub-path provides it.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionStore extends Context.Tag("effect-session/SessionStore")<SessionStore, SessionStoreService>() {}

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
 * Resolved options, or every mistake in them and in what the layer takes besides (row F3); with the warnings that an
 * operator should see at start-up (row F6).
 */
const resolved = (
  options: SessionConfigOptions,
  kind: "client" | "server",
  facts: { readonly memory: boolean; readonly weakKey: boolean },
  besides: (config: SessionConfig.SessionConfig) => ReadonlyArray<Mistake>
): Effect.Effect<SessionConfig.SessionConfig, SessionConfigError> =>
  Effect.suspend(() => {
    const { config, mistakes } = resolveOptions(options, kind)
    const [first, ...rest] = [...mistakes, ...besides(config)]
    if (first !== undefined) return Effect.fail(new SessionConfigError({ mistakes: [first, ...rest] }))
    return Effect.as(
      Effect.forEach(
        SessionConfig.warnings(config, { environment: globalThis.process?.env.NODE_ENV, ...facts }),
        (warning) => Effect.logWarning(warning),
        { discard: true }
      ),
      config
    )
  })

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

/** The one place where a server store is put together; the clean-up lives as long as the layer. */
const serverStore = (
  config: SessionConfig.SessionConfig,
  backend: SessionBackendService,
  index: SubjectIndexService | undefined,
  bound: SubjectBound | undefined
): Effect.Effect<SessionStoreService, never, Scope.Scope> => {
  const store = Effect.succeed(backendStore.make(config, backend, index, bound))
  if (!Number.isFinite(config.cleanupIntervalMillis)) return store
  const guarded = backendStore.guarded(backend, config.storeTimeoutMillis)
  return Effect.zipRight(Effect.forkScoped(cleanUp.forever(guarded, config.cleanupIntervalMillis)), store)
}

/** A store with the index of a subject's sessions. */
const indexedStore = (
  config: SessionConfig.SessionConfig,
  backend: SessionBackendService,
  index: SubjectIndexService,
  bound: SubjectBound | undefined
): Effect.Effect<Context.Context<SessionStore | Sessions.Sessions>, never, Scope.Scope> =>
  Effect.map(serverStore(config, backend, index, bound), (store) =>
    Context.make(SessionStore, store).pipe(
      Context.add(
        Sessions.Sessions,
        sessions.make(
          config,
          backendStore.guarded(backend, config.storeTimeoutMillis),
          backendStore.guardedIndex(index, config.storeTimeoutMillis)
        )
      )
    ))

/** Of a value that plain JavaScript, or a `Config`, may have given. */
const subjectBoundMistakes = (bound: unknown): ReadonlyArray<Mistake> => {
  if (bound === undefined) return []
  if (typeof bound !== "object" || bound === null) {
    return [{ path: "subjectBound", message: "must be a record with max and whenFull" }]
  }
  const { max, whenFull }: { readonly max?: unknown; readonly whenFull?: unknown } = bound
  const mistakes: Array<Mistake> = []
  if (!Number.isSafeInteger(max) || Number(max) < 1) {
    mistakes.push({ path: "subjectBound.max", message: "must be a whole number of at least 1" })
  }
  if (whenFull !== "evict-oldest" && whenFull !== "refuse") {
    mistakes.push({ path: "subjectBound.whenFull", message: "must be evict-oldest or refuse" })
  }
  return mistakes
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
): Layer.Layer<SessionStore | Sessions.Sessions, SessionConfigError, SessionBackend | SubjectIndex> =>
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
): Layer.Layer<SessionStore | Sessions.Sessions, SessionConfigError> =>
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
  | ((options: ServerOptions) => Layer.Layer<SessionStore | Sessions.Sessions, E, R>)
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
    readonly from?: Effect.Effect<SessionConfig.FileConfig, SessionConfigError | E2, R2> | undefined
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
    readonly from?: Effect.Effect<SessionConfig.FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: ServerOptions | undefined
  } = {}
): Layer.Layer<SessionStore | Sessions.Sessions, SessionConfigError | E | E2, R | R2> =>
  Layer.unwrapEffect(
    Effect.map(
      options.from ?? SessionConfig.fromFile(),
      (
        { options: declared, store }
      ): Layer.Layer<SessionStore | Sessions.Sessions, SessionConfigError | E, R> => {
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
