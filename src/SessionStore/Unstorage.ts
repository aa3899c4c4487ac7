/**
 * Sessions in any of the systems that `unstorage` has a driver for: files, Redis, MongoDB, S3, Azure, databases through `db0`,
 * and others (`npm i unstorage`).
 *
 * It is the store of `effect-session/SessionStore/KeyValueStore` over a `Storage`, with the same promises and the same limits.
 * Within one process, updates are atomic, parallel requests lose nothing, and a session that has ended stays ended. Two processes
 * that use the same data lose each other's changes, because unstorage has no atomic step. Where several processes share
 * sessions, use `effect-session/SessionStore/Redis`, `NodeRedis` or `Sql`.
 *
 * The driver has to read what it has just written. An eventually consistent one (Cloudflare KV, a CDN's blobs) does not, so
 * that an ended session may come back for a while.
 *
 * @since 1.0.0
 */
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import * as Backend from "../internal/keyValueStore/backend.js"
import { fromStorage, isPrefix, type UnstorageStorage } from "../internal/keyValueStore/unstorage.js"
import { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import { SessionConfigError } from "../SessionError.js"
import type { SessionList, Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

export type { UnstorageStorage } from "../internal/keyValueStore/unstorage.js"

/**
 * Where the sessions are.
 *
 * - `storage`: what `createStorage` returns. The app disposes of it.
 * - `prefix`: the start of every key, `session-` by default. It consists of letters, digits, `_`, `-`, and single `:`.
 *
 * @since 1.0.0
 * @category models
 */
export interface StorageOptions {
  readonly storage: UnstorageStorage
  readonly prefix?: string | undefined
}

/**
 * Options of a store over a `Storage`.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, StorageOptions {}

/**
 * Only the adapter, without the store that {@link layer} builds over it.
 *
 * If the driver fails, the call fails with a `SessionStoreError` whose reason is `Unavailable`. The layer fails with
 * `SessionConfigError` if unstorage would change the prefix.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerBackend = (
  { prefix = "session-", storage }: StorageOptions
): Layer.Layer<SessionBackend | SubjectIndex, SessionConfigError> =>
  Layer.effectContext(Effect.suspend(() => {
    if (!isPrefix(prefix)) return Effect.fail(wrongPrefix)
    const { backend, index } = Backend.make(fromStorage(storage), prefix)
    return Effect.succeed(Context.make(SessionBackend, backend).pipe(Context.add(SubjectIndex, index)))
  }))

const wrongPrefix = new SessionConfigError({
  mistakes: [{
    path: "prefix",
    message:
      "may have letters, digits, _, -, and single : between them only; unstorage changes other characters of a key"
  }]
})

/**
 * A session store over a `Storage`, with `Sessions` for the sessions of a subject.
 *
 * The store removes expired sessions in the background. Fails with `SessionConfigError` at start-up when an option is wrong.
 *
 * @example
 * ```ts
 * import { layer } from "effect-session/SessionStore/Unstorage"
 * import { createStorage } from "unstorage"
 * import fs from "unstorage/drivers/fs"
 *
 * const storage = createStorage({ driver: fs({ base: "/var/lib/shop/sessions" }) })
 *
 * const SessionsLive = layer({ storage, expiry: "2 hours" })
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * As {@link layer}, with options that are read from `Config`.
 *
 * @since 1.0.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError | ConfigError> =>
  Layer.unwrapEffect(Effect.map(unwrap(config), layer))
