/**
 * What a configuration outside of the code declares.
 */
import type { KeyRing } from "../cookie/keyMaterial.js"
import type { SessionConfigOptions } from "../store/options.js"

/**
 * What a file or the environment declares: the options, and which store to use.
 *
 * - `Cookie`: each session is sealed in its cookie; `keys` and `audience` are those of `SessionStore.layerCookie`.
 * - `Memory`: the sessions are kept in this process; the bounds are those of `SessionStore.layerMemory`.
 * - `Tower`: the app provides the server store.
 *
 * @since 0.1.0
 * @category models
 */
export interface FileConfig {
  readonly options: SessionConfigOptions
  readonly store:
    | { readonly type: "Cookie"; readonly keys: KeyRing; readonly audience?: string | undefined }
    | {
      readonly type: "Memory"
      readonly maxSessions?: number | undefined
      readonly maxBytes?: number | undefined
    }
    | { readonly type: "Tower" }
}
