/**
 * What this app keeps in a session: each value has a name and a schema, and most have a default.
 *
 * The names start with `app.`, because the routes below /session/values let visitors choose names of their own.
 */
import { Schema } from "effect"
import { Flash, SessionKey, Subject } from "effect-session"

/** Whether a name is one that only the app itself writes. Whoever could write such a value could sign in as anybody. */
export const isReserved = (name: string): boolean => name.startsWith("app.") || name.startsWith("effect-session/")

// ── who has signed in ──

export const UserId = Schema.String.pipe(Schema.brand("UserId"))
export type UserId = typeof UserId.Type

/** Sign-in for this app's ids: `User.bind` takes a `UserId`, and `User.requireSignedIn` returns one. */
export const User = Subject.make(UserId)

// ── the cart ──

const CartLine = Schema.Struct({ tea: Schema.String, quantity: Schema.Int })
export type Cart = ReadonlyArray<typeof CartLine.Type>

export const Cart = SessionKey.make("app.cart", Schema.Array(CartLine)).withDefault((): Cart => [])

// ── preferences ──

export const Theme = Schema.Literal("system", "light", "dark")
export const Language = Schema.Literal("en", "de", "fr", "nl")

/** Two keys that are read and changed as one object. */
export const Preferences = SessionKey.struct({
  theme: SessionKey.make("app.theme", Theme).withDefault(() => "system"),
  language: SessionKey.make("app.language", Language).withDefault(() => "en")
})

// ── messages that are shown once ──

export const Notice = Flash.make(
  "notice",
  Schema.Struct({ kind: Schema.Literal("success", "problem"), text: Schema.String })
)

/** The sign-in form, which is shown again with its input after a mistake. The password is never kept. */
export const SignInForm = Flash.form("sign-in", { secrets: ["password"] })
