/** The session keys that most tests of a request use. */
import { Option, Schema } from "effect"
import { SessionKey } from "effect-session"
import type { RequestSession } from "../../src/internal/request/requestSession.js"

export const A = SessionKey.make("a", Schema.String)
export const B = SessionKey.make("b", Schema.String)
export const C = SessionKey.make("c", Schema.String)
export const Count = SessionKey.make("count", Schema.Int)

/** Adds one to `Count`, atomically, and returns the new count. */
export const increment = (session: RequestSession) =>
  session.modify(Count, (count) => {
    const next = Option.getOrElse(count, () => 0) + 1
    return [next, Option.some(next)]
  })
