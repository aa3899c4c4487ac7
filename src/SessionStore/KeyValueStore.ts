/**
 * Sessions in a `KeyValueStore` of `@effect/platform`: in the files of a directory, in memory, or in any other
 * implementation that the app provides.
 *
 * This store is for one process that has no database server: a small site, a desktop app or a tool. Several processes need
 * Redis or a database.
 *
 * Within one process, the following holds for everything that uses the same `KeyValueStore` value and the same prefix,
 * through one layer or through several: updates are atomic, `ifVersion` is a compare-and-set, parallel requests lose
 * nothing, a session that has ended stays ended, and the bound on a subject's sessions holds.
 *
 * The store does not promise the following:
 *
 * - Two processes that use one directory, or two `KeyValueStore` values for it, do not know of each other. They lose each
 *   other's changes. One may also read a file while the other is writing it, take it for corrupt and remove it.
 * - `KeyValueStore.layerFileSystem` writes files in place and does not sync them. If the process is killed while it writes
 *   a session, half a file is left. That session then reads as empty, the store logs a warning, and the user signs in
 *   again. All other sessions, the lists of a subject's sessions and clean-up survive. If the machine loses power, it loses
 *   what it had not yet written to its disk.
 * - Values are not encrypted, and files get the permissions that the process's umask allows. Give the store a directory of
 *   its own that nobody else may read. Its files sign nobody in, because ids are hashes, but they hold the sessions' data.
 * - Every change writes the whole session. If the `KeyValueStore` takes long for one value, so does the request.
 *
 * Each session has a second small value, by which clean-up finds it, because a `KeyValueStore` cannot list its keys. Each
 * subject that has signed in has at most two more.
 *
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { unwrap } from "../internal/config/unwrap.js"
import * as Backend from "../internal/keyValueStore/backend.js"
import { SessionBackend, SubjectIndex } from "../SessionBackend.js"
import type { SessionConfigError } from "../SessionError.js"
import type { SessionList, Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

/**
 * Names the store's keys.
 *
 * - `prefix`: the start of every key, `session-` by default. Apps that share a `KeyValueStore` need different prefixes. On a
 *   file system where `a` and `A` name the same file, the prefixes must differ by more than that.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrefixOptions {
  readonly prefix?: string | undefined
}

/**
 * Options of a store in a `KeyValueStore`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends SessionStore.ServerOptions, PrefixOptions {}

/**
 * Only the adapter, without the store that {@link layer} builds over it.
 *
 * If the `KeyValueStore` fails, the call fails with a `SessionStoreError` whose reason is `Unavailable`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerBackend = (
  options?: PrefixOptions
): Layer.Layer<SessionBackend | SubjectIndex, never, KeyValueStore.KeyValueStore> =>
  Layer.effectContext(
    Effect.map(KeyValueStore.KeyValueStore, (store) => {
      const { backend, index } = Backend.make(store, options?.prefix ?? "session-")
      return Context.make(SessionBackend, backend).pipe(Context.add(SubjectIndex, index))
    })
  )

/**
 * A session store in the app's `KeyValueStore`, with `Sessions` for the sessions of a subject.
 *
 * The store removes expired sessions in the background, in small steps. If an option is not valid, the layer fails with
 * `SessionConfigError` at start-up.
 *
 * @example
 * ```ts
 * import * as SessionStoreKeyValue from "effect-session/SessionStore/KeyValueStore"
 * import { KeyValueStore } from "@effect/platform"
 * import { NodeContext } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * const SessionsLive = SessionStoreKeyValue.layer({ expiry: "2 hours" }).pipe(
 *   Layer.provide(KeyValueStore.layerFileSystem("/var/lib/my-app/sessions")),
 *   Layer.provide(NodeContext.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SessionStore.SessionStore | Sessions | SessionList, SessionConfigError, KeyValueStore.KeyValueStore> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * As {@link layer}, with options that are read from `Config`.
 *
 * `SessionConfig.duration` reads a number of seconds or a duration with its unit. `Config.duration` reads only the latter.
 * If a variable is missing or cannot be read, the layer fails with `ConfigError` at start-up.
 *
 * @example
 * ```ts
 * import { SessionConfig } from "effect-session"
 * import { layerConfig } from "effect-session/SessionStore/KeyValueStore"
 * import { Config } from "effect"
 *
 * const SessionsLive = layerConfig({
 *   prefix: Config.string("SESSION_PREFIX"),
 *   expiry: SessionConfig.duration("SESSION_EXPIRY")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config.Wrap<Options>
): Layer.Layer<
  SessionStore.SessionStore | Sessions | SessionList,
  SessionConfigError | ConfigError,
  KeyValueStore.KeyValueStore
> => Layer.unwrapEffect(Effect.map(unwrap(config), layer))
