/**
 * Sign-in for subjects that have a type of their own, such as a branded id.
 *
 * @since 1.0.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Codec from "./internal/edition/schema.js"
import * as RequestContext from "./RequestContext.js"
import type { Client, SignedIn } from "./RequestContext.js"
import type { NotSignedIn, ReadError, SessionNotFresh, TooManySessions, WriteError } from "./SessionError.js"
import { type SessionEnded, SessionSchemaError } from "./SessionError.js"
import type { Sessions } from "./Sessions.js"

/**
 * The operations of `RequestContext` that name a subject, for subjects of one schema.
 *
 * - `bind`: signs the subject in. It also fails as `RequestContext.bind` does.
 * - `signedIn`: returns who has signed in, as an `Option`.
 * - `requireSignedIn`: returns the same without an `Option`, or fails with `NotSignedIn`.
 * - `requireFresh`: returns the same, or fails with `SessionNotFresh` when the sign-in is missing or longer ago.
 *
 * Each of them fails with `SessionSchemaError`, whose `key` is `(subject)`, when the subject does not fit the schema. That
 * happens when it was bound under another schema, or by `RequestContext.bind` with another text.
 *
 * @since 1.0.0
 * @category models
 */
export interface Subject<A> {
  readonly schema: Schema.Schema<A, string>
  readonly bind: (
    subject: A,
    client?: Client
  ) => Effect.Effect<
    void,
    TooManySessions | Exclude<WriteError, SessionEnded>,
    RequestContext.RequestContext | Sessions
  >
  readonly signedIn: Effect.Effect<Option.Option<SignedIn<A>>, ReadError, RequestContext.RequestContext>
  readonly requireSignedIn: Effect.Effect<SignedIn<A>, NotSignedIn | ReadError, RequestContext.RequestContext>
  readonly requireFresh: (
    within: Duration.DurationInput
  ) => Effect.Effect<SignedIn<A>, SessionNotFresh | ReadError, RequestContext.RequestContext>
}

/**
 * Makes the sign-in of an app whose subjects have a schema, such as a branded id, or a number that is kept as text. The session
 * holds the encoded form, which is also what `Sessions.list` and the other functions of `Sessions` take.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Subject } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const UserId = Schema.UUID.pipe(Schema.brand("UserId"))
 *
 * const User = Subject.make(UserId)
 *
 * declare const checkPassword: Effect.Effect<typeof UserId.Type>
 * declare const nameOf: (id: typeof UserId.Type) => Effect.Effect<string>
 *
 * const signIn = Effect.flatMap(checkPassword, (id) => User.bind(id)) // no other id compiles
 *
 * const account = Effect.gen(function*() {
 *   const { subject } = yield* User.requireSignedIn // a UserId
 *   return HttpServerResponse.text(yield* nameOf(subject))
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const make = <A>(schema: Schema.Schema<A, string>): Subject<A> => {
  const encode = Codec.encoder(schema)
  const decode = Codec.decoder(schema)
  const typed = (who: SignedIn): Effect.Effect<SignedIn<A>, SessionSchemaError> =>
    decode(who.subject).pipe(
      Effect.mapBoth({ onSuccess: (subject) => ({ ...who, subject }), onFailure: misfit("decode") })
    )
  return {
    schema,
    bind: (subject, client) =>
      Effect.flatMap(
        Effect.mapError(encode(subject), misfit("encode")),
        (text) => RequestContext.bind(text, client)
      ),
    signedIn: Effect.flatMap(
      RequestContext.signedIn,
      Option.match({ onNone: () => Effect.succeedNone, onSome: (who) => Effect.asSome(typed(who)) })
    ),
    requireSignedIn: Effect.flatMap(RequestContext.requireSignedIn, typed),
    requireFresh: (within) => Effect.flatMap(RequestContext.requireFresh(within), typed)
  }
}

const misfit = (direction: "decode" | "encode") => (issue: Codec.Issue): SessionSchemaError =>
  SessionSchemaError.of("(subject)", direction, issue)
