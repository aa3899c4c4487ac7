/**
 * What an operator should know about a configuration that is valid (row F6).
 */
import type { SessionConfig } from "./model.js"

/** A number that was meant as seconds is read as milliseconds: an hour of 3600 is 3.6 seconds. */
const hardlyMeantMillis = 30_000

const shortLife = (option: string, millis: number | undefined): ReadonlyArray<string> =>
  millis === undefined || millis >= hardlyMeantMillis
    ? []
    : [`sessions end after ${millis / 1000} seconds (${option}): did you mean seconds? a plain number is milliseconds`]

/**
 * What an operator should know about this configuration.
 *
 * In every environment: an idle or absolute expiry below 30 seconds, which is most often a number of seconds where
 * milliseconds are read. The rest only when `environment` is `production`.
 *
 * - `memory`: the store is Memory.
 * - `weakKey`: the key has fewer than 8 distinct bytes in its encrypting half.
 *
 * @since 0.1.0
 * @category resolving
 */
export const warnings = (
  config: SessionConfig,
  facts: { readonly environment: string | undefined; readonly memory: boolean; readonly weakKey: boolean }
): ReadonlyArray<string> => {
  if (!config.enable) return []
  const found = [
    ...shortLife(config.persistent ? "expiry" : "idle", config.idleMillis),
    ...shortLife("absoluteExpiry", config.absoluteMillis)
  ]
  if (facts.environment !== "production") return found
  if (facts.memory) {
    found.push("sessions are kept in memory: a restart signs everyone out, and other processes do not see them")
  }
  if (!config.secure) {
    found.push("the session cookie is not Secure: it travels over plain HTTP, where anyone on the way can take it")
  }
  if (!config.httpOnly) {
    found.push("the session cookie is not HttpOnly: a script injected into a page can read it")
  }
  if (facts.weakKey) {
    found.push("the session key looks weak (fewer than 8 distinct bytes in its encrypting half): generate a random one")
  }
  return found
}
