/**
 * When a stream or a socket has to end.
 */
import { Effect, Option, Schedule, Schema } from "effect"
import { RequestContext, SessionKey } from "effect-session"

const Unused = SessionKey.make("unused", Schema.Null)

/**
 * Ends at most a second after the user has signed out. The head of the response has left long ago, and the session of this
 * request was loaded before that; a `modify` that writes nothing asks the store.
 */
export const untilSignedOut = RequestContext.modify(Unused, (value) => [undefined, value]).pipe(
  Effect.zipRight(RequestContext.signedIn),
  Effect.repeat({ until: Option.isNone, schedule: Schedule.spaced("1 second") }),
  Effect.catchTag("SessionEnded", () => Effect.succeedNone),
  Effect.asVoid
)
