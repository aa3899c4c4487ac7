/**
 * Which sessions of the cookie store are over, although their cookies still open: what
 * {@link "./SessionStore".layerCookieRevocable} asks.
 *
 * - The id of a session that was flushed or renewed is denied until no cookie of it opens any more: until its absolute expiry
 *   (30 days after its creation by default), and at most 400 days. Without an absolute expiry it is 400 days.
 * - For a subject whose sessions were revoked, there is one entry, as long as these sessions could have lived.
 *
 * So the number of entries is bounded by the number of sign-outs, renewals and revoked subjects in that time. Each of them
 * expires by itself. Choose a short absolute expiry to keep them few.
 *
 * Clocks of servers may differ by at most one hour. When a store of revocations loses its entries, the sessions that they
 * ended are alive again until their cookies expire.
 *
 * @since 1.0.0
 */
import type * as Layer from "effect/Layer"
import * as layers from "./internal/layers/revocations.js"
import type { Revocation } from "./internal/store/revocation.js"
import type { SessionConfigError } from "./SessionError.js"

export type { MemoryOptions } from "./internal/layers/revocations.js"
export { type Denial, Revocation, type RevocationService } from "./internal/store/revocation.js"

/**
 * Keeps the revocations in the memory of this process. It suits development, tests, and an app that runs as one process and
 * signs everybody out when it restarts (with a new key).
 *
 * Only entries that have expired are removed. When `maxEntries` is reached, `flush`, `renew` and `Sessions.revokeAll` fail
 * with `SessionStoreError` (503) until there is room: if an entry were evicted, an ended session would be alive again.
 *
 * The layer fails with `SessionConfigError` when `maxEntries` is wrong. It logs a warning under `NODE_ENV=production`.
 *
 * @example
 * ```ts
 * import { Revocation, SessionStore } from "effect-session"
 * import { Layer } from "effect"
 *
 * const SessionsLive = SessionStore.layerCookieRevocableConfig("SESSION_SECRET").pipe(
 *   Layer.provide(Revocation.layerMemory())
 * )
 * ```
 *
 * @since 1.0.0
 * @category layers
 */
export const layerMemory: (options?: layers.MemoryOptions) => Layer.Layer<Revocation, SessionConfigError> =
  layers.memory
