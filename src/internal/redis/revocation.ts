/**
 * The store of revocations on Redis: one key for each denial, which Redis removes by itself. A check reads its keys with one
 * command each, sent together, because on a cluster they lie on several nodes.
 */
import * as Effect from "effect/Effect"
import type { Denial, RevocationService } from "../store/revocation.js"
import type { Commands } from "./commands.js"
import * as Scripts from "./scripts.js"

/** The stored time decides. Redis counts by its own clock, and must not be the first to forget. */
const marginMillis = 60 * 60 * 1000

export const make = (commands: Commands, prefix: string): RevocationService => ({
  check: (names, now) =>
    commands.readTexts("check", names.map((name) => prefix + name), (replies) => {
      const found = new Map<string, Denial>()
      for (const [at, reply] of replies.entries()) {
        const denial = reply === null ? undefined : read(reply)
        if (denial !== undefined && denial.expiresAt > now) found.set(names[at], denial)
      }
      return found
    }),

  deny: (name, { at, expiresAt, survivor }, now) =>
    commands.script(
      "deny",
      Scripts.deny,
      prefix + name,
      [`${whole(now)} ${ttl(expiresAt, now)}`, `${whole(at)} ${whole(expiresAt)} ${survivor ?? "-"}`],
      (reply) => reply === "D" ? undefined : read(reply)
    ),

  denyOlder: (name, { at, expiresAt, survivor }, now) =>
    commands.script(
      "deny",
      Scripts.denyOlder,
      prefix + name,
      [`${whole(now)} ${whole(at)} ${whole(expiresAt)} ${ttl(expiresAt, now)} ${survivor ?? "-"}`],
      (reply) => {
        if (reply !== "D") throw new Error("not a reply of this script")
      }
    ),

  removeExpired: () => Effect.succeed(0)
})

const whole = (millis: number): string => String(Math.ceil(millis))

const ttl = (expiresAt: number, now: number): string => String(Math.max(Math.ceil(expiresAt - now), 0) + marginMillis)

const pattern = /^(\d+) (\d+) (\S+)$/

/** A text that cannot be read is a failure: nobody knows then whether the session is over. */
const read = (text: unknown): Denial => {
  const match = typeof text === "string" ? pattern.exec(text) : null
  if (match === null) throw new Error("not a denial")
  return { at: Number(match[1]), expiresAt: Number(match[2]), survivor: match[3] === "-" ? undefined : match[3] }
}
