/**
 * The options of a session, as an app gives them and as the library uses them after it has checked them.
 */
import type * as Duration from "effect/Duration"

/**
 * Where a former cookie of the session was sent: its `path` (`"/"` when it is absent) and its `domain` (the host alone when
 * it is absent). It is an entry of the option `formerly`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieScopeOptions {
  readonly path?: string | undefined
  readonly domain?: string | undefined
}

/**
 * A {@link CookieScopeOptions} that has been checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieScope {
  readonly path: string
  readonly domain: string | undefined
}

/**
 * What the option `isActivity` sees of a request. `url` is the path and the query, as the middleware sees them. The names of
 * headers are in lower case.
 *
 * @since 1.0.0
 * @category models
 */
export interface ActivityRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
}

/**
 * The options of every store. Durations are Effect's (`"1 hour"`, `Duration.days(1)`); a plain number is milliseconds.
 *
 * - `enable`: `true` by default. With `false`, requests pass through, and session operations fail with `SessionDisabled`.
 * - `name`: the cookie's name. The default is `__Host-session` when `secure` is set, `path` is `/` and there is no
 *   `domain`; it is `__Secure-session` when `secure` is set otherwise, and `session` when it is not.
 * - `httpOnly` (`true`), `secure` (`true`), `sameSite` (`"lax"`), `path` (`"/"`), `domain` (absent), `partitioned`
 *   (`false`): the attributes of the cookie, with their defaults. The attribute Secure follows the option `secure` alone;
 *   `X-Forwarded-*` headers are never read.
 * - `formerly`: the scopes that a cookie of this name had before its `path` or `domain` was changed; at most 8, and none by
 *   default. A response that sets or removes the session's cookie removes the cookies of these scopes as well.
 * - `expiry`: how long a session lives after its last use, on the server and in the browser. When it is absent, the
 *   browser drops the cookie when it closes, and the record lives as long as `idle` says.
 * - `idle`: how long a record lives after its last use when there is no `expiry`; 14 days by default.
 * - `absoluteExpiry`: how long a session lives after its creation or sign-in, however much it is used; 30 days by default.
 *   `Infinity` (or `Duration.infinity`) switches it off.
 * - `refreshAfter`: the part of the idle time after which a session that is used is extended; from 0 to 1, by default 0.1.
 * - `renewEvery`: renews the id of a session by itself: by the first request in each period of this length since the creation
 *   or sign-in, from 1 minute to 400 days (OWASP Session Management Cheat Sheet, "Renewal Timeout"). Never by default.
 * - `isActivity`: whether a request extends the life of its session and renews its id by `renewEvery`; every request does by
 *   default. Any other request reads and writes as usual. A predicate that throws counts as `true`.
 * - `storeTimeout`: a call to the store that takes longer than this has failed; 5 seconds by default.
 * - `commitWhen`: decides from the response's status whether changes are saved; by default
 *   `status < 500 && status !== 499`.
 * - `renewGrace`: how long a server store remembers which session replaced one that was renewed; 60 seconds by default. With
 *   0 it forgets the old id at once.
 * - `maxDuplicates`: how many cookies with the session's name are tried in one request; 4 by default.
 * - `maxSessionBytes`: how many bytes the keys and values of a session may take in a server store; 262,144 by default.
 * - `cleanupInterval`: how often a server store removes expired records; 60 seconds by default, never with `Infinity`.
 *
 * docs/configuration.md says what each option accepts, and `resolve` refuses everything else.
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
  readonly formerly?: ReadonlyArray<CookieScopeOptions> | undefined
  readonly expiry?: Duration.DurationInput | undefined
  readonly idle?: Duration.DurationInput | undefined
  readonly absoluteExpiry?: Duration.DurationInput | undefined
  readonly refreshAfter?: number | undefined
  readonly renewEvery?: Duration.DurationInput | undefined
  readonly isActivity?: ((request: ActivityRequest) => boolean) | undefined
  readonly storeTimeout?: Duration.DurationInput | undefined
  readonly commitWhen?: ((status: number) => boolean) | undefined
  readonly renewGrace?: Duration.DurationInput | undefined
  readonly maxDuplicates?: number | undefined
  readonly maxSessionBytes?: number | undefined
  readonly cleanupInterval?: Duration.DurationInput | undefined
}

/**
 * Options that have been checked, with every default filled in and every duration in milliseconds.
 *
 * - `persistent`: whether the cookie has a Max-Age. Without it, the browser drops the cookie when it closes.
 * - `absoluteMillis`: undefined when there is no absolute expiry.
 * - `renewEveryMillis`: undefined when ids are not renewed by themselves.
 * - `isActivity`: undefined when every request is activity.
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
  readonly formerly: ReadonlyArray<CookieScope>
  readonly idleMillis: number
  readonly persistent: boolean
  readonly absoluteMillis: number | undefined
  readonly refreshAfter: number
  readonly renewEveryMillis: number | undefined
  readonly isActivity: ((request: ActivityRequest) => boolean) | undefined
  readonly storeTimeoutMillis: number
  readonly commitWhen: (status: number) => boolean
  readonly renewGraceMillis: number
  readonly maxDuplicates: number
  readonly maxSessionBytes: number
  readonly cleanupIntervalMillis: number
}
