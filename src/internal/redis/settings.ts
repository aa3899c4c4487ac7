/**
 * What the settings of all clients that this library opens have in common.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { SessionConfigError } from "../../SessionError.js"

export const mistake = (path: string, message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path, message }] })

/** A text that may be redacted. */
export type Secret = string | Redacted.Redacted<string>

/** The texts of a URL and a password. Fails when the URL is not one of Redis. */
export const reveal = (settings: {
  readonly url?: Secret | undefined
  readonly password?: Secret | undefined
}): Effect.Effect<{ readonly url: string | undefined; readonly password: string | undefined }, SessionConfigError> => {
  const url = textOf(settings.url)
  return url !== undefined && !isRedisUrl(url)
    ? Effect.fail(mistake("redis.url", "must be a URL: redis://… or rediss://…")) // not printed, because it may hold a password
    : Effect.succeed({ url, password: textOf(settings.password) })
}

const textOf = (value: Secret | undefined): string | undefined =>
  Redacted.isRedacted(value) ? Redacted.value(value) : value

const isRedisUrl = (text: string): boolean => {
  try {
    return ["redis:", "rediss:"].includes(new URL(text).protocol)
  } catch {
    return false
  }
}
