/**
 * Sessions in a `KeyValueStore` of `@effect/platform`: files of a directory, memory, or whatever else the app has.
 *
 * For one process, and without a server to run: a small site, a desktop app, a tool. Several processes need Redis or a
 * database.
 *
 * What it promises, within one process, for everything that is built over one and the same `KeyValueStore` value (and
 * prefix), be it one layer or ten: updates are atomic, `ifVersion` is a compare-and-set, nothing is lost between parallel
 * requests, nothing that ended is revived, a bound on a subject's sessions holds.
 *
 * What it does not promise:
 *
 * - Two processes over one directory, or two `KeyValueStore` values over it, know nothing of each other: they lose each
 *   other's changes, and one may read a file that the other has half written, takes it for corrupt and removes it.
 * - `KeyValueStore.layerFileSystem` writes in place and does not sync. A process that is killed in the middle of writing a
 *   session leaves half a file: that session reads as empty (a warning is logged) and its user signs in again. The other
 *   sessions, the lists of a subject's sessions and the clean-up survive. What the machine itself had not written to
 *   its disk when it lost power is lost.
 * - Values are not encrypted, and files get the permissions of the process's umask: give it a directory of its own that
 *   nobody else may read. What it holds signs nobody in, ids are hashes, but it has the sessions' data.
 * - Every change writes the whole session, and a `KeyValueStore` that is slow for one value is slow for a request.
 *
 * Beside one value a session there is one small value that says when it is due (a `KeyValueStore` cannot list its keys),
 * and two for each subject that has signed in.
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
import type { Sessions } from "../Sessions.js"
import * as SessionStore from "../SessionStore.js"

/**
 * - `prefix`: of every key, default `session-`. Apps that share a `KeyValueStore` take one each; where file names do not
 *   tell `a` from `A`, prefixes must not differ by that alone.
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
 * The adapter alone: what {@link layer} puts a store on.
 *
 * A failing `KeyValueStore` is a `SessionStoreError` with the reason `Unavailable`.
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
 * A store in the app's `KeyValueStore`, with the sessions of a subject.
 *
 * Fails with `SessionConfigError` at start-up. Expired sessions are removed in the background, in small steps.
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
): Layer.Layer<SessionStore.SessionStore | Sessions, SessionConfigError, KeyValueStore.KeyValueStore> =>
  Layer.provide(SessionStore.layerBackendIndexed(options), layerBackend(options))

/**
 * {@link layer}, with its options from `Config`.
 *
 * `SessionConfig.duration` takes a number of seconds or a duration with its unit; `Config.duration` takes the latter only.
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
): Layer.Layer<SessionStore.SessionStore | Sessions, SessionConfigError | ConfigError, KeyValueStore.KeyValueStore> =>
  Layer.unwrapEffect(Effect.map(unwrap(config), layer))
