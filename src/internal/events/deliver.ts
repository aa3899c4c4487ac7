/**
 * Delivers the events of a store to a handler, one after another, in a fiber of its own. What the handler fails with, or how
 * long it takes, is no concern of the request in which something happened.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { withDeadline } from "../edition/deadline.js"
import { stop } from "../edition/fork.js"
import type { Inbox, SessionEvent } from "../store/event.js"
import * as Limited from "../store/limited.js"

/** How long the end of the scope waits for the handler to work through what is left. */
const patienceMillis = 5000

/** Calls the handler until the scope ends, and then for the events that are left. */
export const deliver = <E, R>(
  inbox: Inbox,
  handler: (event: SessionEvent) => Effect.Effect<unknown, E, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.uninterruptible(
    Effect.gen(function*() {
      const fiber = yield* Effect.forkDaemon(Effect.interruptible(all(inbox, handled(handler))))
      yield* Effect.addFinalizer(() => {
        inbox.close()
        const emptied = withDeadline(Fiber.await(fiber), patienceMillis, () => undefined)
        return Effect.ensuring(Effect.ignore(emptied), Effect.sync(() => stop(fiber)))
      })
    })
  )

const all = <R>(
  inbox: Inbox,
  handle: (event: SessionEvent) => Effect.Effect<void, never, R>
): Effect.Effect<void, never, R> =>
  Effect.flatMap(inbox.take(1), (events) =>
    events === undefined
      ? Effect.void
      : Effect.zipRight(Effect.forEach(events, handle, { discard: true }), all(inbox, handle)))

/** A handler that never fails: its failure is logged, once in a minute at most. */
const handled = <E, R>(
  handler: (event: SessionEvent) => Effect.Effect<unknown, E, R>
): (event: SessionEvent) => Effect.Effect<void, never, R> => {
  const limited = Limited.make(1)
  return (event) =>
    Effect.catchAllCause(
      Effect.asVoid(Effect.suspend(() => handler(event))),
      (cause) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const line = limited("failed", `the handler of session events failed for ${event._tag}`, now)
          return line === undefined ? Effect.void : Effect.logError(line, Cause.pretty(cause))
        })
    )
}
