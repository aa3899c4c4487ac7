/**
 * The options of a session as an app gives them, and as the library uses them once they are resolved.
 */
import type * as Duration from "effect/Duration"
import type { KeyRing } from "../cookie/keyMaterial.js"

/**
 * Options of every store. Durations are Effect's (`"1 hour"`, `Duration.days(1)`; a plain number is milliseconds).
 *
 * - `enable`: default true; false lets requests pass, and session operations fail with `SessionDisabled`.
 * - `name`: of the cookie. Default `__Host-session` when `secure`, `path` is `/` and there is no `domain`;
 *   `__Secure-session` when `secure` otherwise; else `session`.
 * - `httpOnly` (true), `secure` (true), `sameSite` (`"lax"`), `path` (`"/"`), `domain` (none), `partitioned` (false):
 *   the cookie's attributes. `Secure` follows this option alone; `X-Forwarded-*` is never read.
 * - `expiry`: the idle time; it rolls. Absent: a browser-session cookie, whose record lives `idle`.
 * - `idle`: 14 days; only without `expiry`.
 * - `absoluteExpiry`: counts from the creation and is never extended. Server stores: none by default. Cookie store: 30
 *   days; `Infinity` (`Duration.infinity`) opts out.
 * - `refreshAfter`: the part of the idle time after which a touched session is refreshed; 0 to 1, default 0.1.
 * - `storeTimeout`: 5 seconds; each call to the store that has not answered by then has failed.
 * - `commitWhen`: which statuses commit the changes; default `status < 500 && status !== 499`.
 * - `maxDuplicates`: how many cookies of the name are tried, default 4.
 * - `maxSessionBytes`: 262,144; server stores only: the most octets of keys and values.
 * - `cleanupInterval`: 60 seconds; server stores only: how often expired records are removed; `Infinity` means never.
 *
 * What each one accepts is in docs/configuration.md; `resolve` refuses the rest.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionConfigOptions {
  readonly enable?: boolean | undefined
  readonly name?: string | undefined
  readonly httpOnly?: boolean | undefined
  readonly secure?: boolean | undefined
  readonly sameSite?: "lax" | "strict" | "none" | undefined
  readonly path?: string | undefined
  readonly domain?: string | undefined
  readonly partitioned?: boolean | undefined
  readonly expiry?: Duration.DurationInput | undefined
  readonly idle?: Duration.DurationInput | undefined
  readonly absoluteExpiry?: Duration.DurationInput | undefined
  readonly refreshAfter?: number | undefined
  readonly storeTimeout?: Duration.DurationInput | undefined
  readonly commitWhen?: ((status: number) => boolean) | undefined
  readonly maxDuplicates?: number | undefined
  readonly maxSessionBytes?: number | undefined
  readonly cleanupInterval?: Duration.DurationInput | undefined
}

/**
 * The options resolved: every default filled in, every duration in milliseconds, every mistake found.
 *
 * - `persistent`: whether the cookie has a Max-Age.
 * - `absoluteMillis`: undefined when there is no absolute expiry.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionConfig {
  readonly enable: boolean
  readonly name: string
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: "lax" | "strict" | "none"
  readonly path: string
  readonly domain: string | undefined
  readonly partitioned: boolean
  readonly idleMillis: number
  readonly persistent: boolean
  readonly absoluteMillis: number | undefined
  readonly refreshAfter: number
  readonly storeTimeoutMillis: number
  readonly commitWhen: (status: number) => boolean
  readonly maxDuplicates: number
  readonly maxSessionBytes: number
  readonly cleanupIntervalMillis: number
}

/**
 * What a file or the environment declares: the options, and which store to use.
 *
 * - `Cookie`: everything sealed in the cookie; `audience` as in `SessionStore.layerCookie`.
 * - `Memory`: in this process; the bounds as in `SessionStore.layerMemory`.
 * - `Tower`: the server store that the app provides.
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
