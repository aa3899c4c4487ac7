/**
 * The secret of a session's forms, under a key of the session: every token of the session is this secret under a mask.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { CsrfRefused, SessionStoreError } from "../../SessionError.js"
import * as SessionKey from "../../SessionKey.js"
import type { ChangeError, RequestContextService } from "../request/contract.js"
import { csrfSecret } from "../request/endsWithId.js"
import * as Token from "./token.js"

const key = SessionKey.make(csrfSecret, Schema.String)

/** A token for a page. A session without a secret gets one, and so does a visitor without a session. */
export const token = (context: RequestContextService): Effect.Effect<string, ChangeError> =>
  Effect.flatMap(context.get(key), (secret) =>
    Option.isSome(secret)
      ? Effect.succeed(Token.mask(secret.value))
      : Effect.map(create(context), Token.mask))

/** Where two requests make one at once, both get the same. */
const create = (context: RequestContextService): Effect.Effect<string, ChangeError> => {
  const fresh = Token.secret()
  return context.modify(key, (current) => {
    const secret = Option.getOrElse(current, () => fresh)
    return [secret, Option.some(secret)]
  }).pipe(
    // The page is for a session that has ended, and so are its forms.
    Effect.catchTag("SessionEnded", () => Effect.succeed(fresh))
  )
}

type Verdict = Extract<CsrfRefused["reason"], "NoToken" | "WrongToken"> | "Right"

/**
 * Holds the text that a client sent against the session's secret. A session without one, or without a readable one, has
 * given no token to anybody.
 */
export const verify = (
  context: RequestContextService,
  text: Effect.Effect<string | undefined>
): Effect.Effect<Verdict, SessionStoreError> =>
  context.get(key).pipe(
    Effect.catchTags({
      SessionSchemaError: () => Effect.succeed(Option.none<string>()),
      SessionDisabled: () => Effect.succeed(Option.none<string>())
    }),
    Effect.flatMap((secret): Effect.Effect<Verdict> =>
      Option.isNone(secret) ? Effect.succeed("NoToken") : Effect.map(text, (text) => {
        if (text === undefined) return "NoToken"
        return Token.matches(text, secret.value) ? "Right" : "WrongToken"
      })
    )
  )
