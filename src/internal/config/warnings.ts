/**
 * What an operator should know about a configuration that is valid (row F6).
 */
import type { SessionConfig } from "../store/options.js"

/** A plain number is milliseconds, so that 3600, which was meant as an hour, is 3.6 seconds. */
const hardlyMeantMillis = 30_000

const shortLife = (option: string, millis: number | undefined): ReadonlyArray<string> =>
  millis === undefined || millis >= hardlyMeantMillis
    ? []
    : [
      `sessions end after ${millis / 1000} seconds (${option}); did you mean seconds? A plain number is milliseconds.`
    ]

/**
 * What an operator should know about a configuration that is valid.
 *
 * Every environment is warned of an idle or absolute expiry below 30 seconds, which is most often a number of seconds
 * where milliseconds are read. The other warnings appear only when `environment` is `production`.
 *
 * - `memory`: whether the store is Memory.
 * - `weakKey`: whether the encrypting half of the key has fewer than 8 distinct bytes.
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
    found.push("sessions are kept in memory: a restart signs everyone out, and other processes do not see the sessions")
  }
  if (!config.secure) {
    found.push("the session cookie is not Secure: it travels over plain HTTP, where anyone on the way can copy it")
  }
  if (!config.httpOnly) {
    found.push("the session cookie is not HttpOnly: a script injected into a page can read it")
  }
  if (facts.weakKey) {
    found.push(
      "the session key looks weak (its encrypting half has fewer than 8 distinct bytes): generate a random one"
    )
  }
  return found
}
