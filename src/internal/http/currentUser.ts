/**
 * The app's own user of a request, from the subject of its session: what the middlewares of an `HttpApi` and of RPCs run.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { NotSignedIn } from "../../SessionError.js"
import type { SignedIn } from "../request/contract.js"

/** A subject that the app knows nobody by counts as one that has not signed in: the user may have been deleted. */
export const userOf = <A, E, R, User, E2, R2>(
  requireSignedIn: Effect.Effect<SignedIn<A>, E, R>,
  find: (subject: A) => Effect.Effect<Option.Option<User>, E2, R2>
): Effect.Effect<User, NotSignedIn | E | E2, R | R2> =>
  Effect.flatMap(requireSignedIn, ({ subject }) =>
    Effect.flatMap(
      find(subject),
      Option.match({ onNone: () => Effect.fail(new NotSignedIn()), onSome: (user) => Effect.succeed(user) })
    ))
