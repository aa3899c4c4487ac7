/**
 * Messages that are shown once, on the next page that shows them: "Saved.", after a form and a redirect.
 *
 * They are values of the session. A message stays until a handler takes it, however many redirects lie in between.
 *
 * @since 1.0.0
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fields } from "./internal/edition/fields.js"
import type { SchemaError } from "./internal/edition/schema.js"
import * as Form from "./internal/flash/form.js"
import * as Messages from "./internal/flash/messages.js"
import { isUnseen } from "./internal/flash/unseen.js"
import { type ChangeError, RequestContext, type RequestContextService } from "./internal/request/contract.js"
import type { ReadError } from "./SessionError.js"
import * as SessionKey from "./SessionKey.js"

/**
 * A kind of message: its name, and the schema of each.
 *
 * @since 1.0.0
 * @category models
 */
export interface Flash<A, I = A, R = never> {
  readonly name: string
  /** @internal */
  readonly list: Messages.List<A, I, R>
}

/**
 * Options of a kind of message.
 *
 * - `max`: how many messages are kept at most, 20 by default; the oldest are dropped first. A client that never shows a page would
 *   fill its session with them.
 *
 * @since 1.0.0
 * @category models
 */
export interface Options {
  readonly max?: number | undefined
}

/**
 * Makes a kind of message. The session keeps its messages under the key `effect-session/Flash/<name>`.
 *
 * @example
 * ```ts
 * import { Flash } from "effect-session"
 * import { Schema } from "effect"
 *
 * const Notice = Flash.make("notice", Schema.Struct({ kind: Schema.Literal("success", "error"), text: Schema.String }))
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const make = <A, I, R = never>(
  name: string,
  schema: Schema.Schema<A, I, R>,
  options: Options = {}
): Flash<A, I, R> => ({
  name,
  list: { key: SessionKey.make(`effect-session/Flash/${name}`, Schema.Array(schema)), max: options.max ?? 20 }
})

// ── messages ──

/**
 * Adds a message, for the next page that takes it. A visitor without a session gets one.
 *
 * On a session that a server store holds, it is saved at once, as by `RequestContext.modify`: a later 5xx does not undo it.
 * So add the message when the work is done. Messages that several requests add at once are all kept.
 *
 * Fails as `RequestContext.insert` does. If another request has ended the session in the meantime, nothing is added.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Flash } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Notice = Flash.make("notice", Schema.String)
 *
 * const save = Effect.gen(function*() {
 *   // … the order is stored …
 *   yield* Flash.add(Notice, "Your order has been placed.")
 *   return HttpServerResponse.redirect("/orders", { status: 303 })
 * })
 * ```
 *
 * @since 1.0.0
 * @category messages
 */
export const add = <A, I, R>(
  flash: Flash<A, I, R>,
  message: NoInfer<A>
): Effect.Effect<void, ChangeError, R | RequestContext> =>
  Effect.flatMap(RequestContext, (context) => Messages.add(context, flash.list, message))

/**
 * Takes all messages, the oldest first: whoever takes them next gets none of these. Call it where they are shown, and not in
 * a handler that redirects.
 *
 * - On a server store each message is taken once, even by two tabs at once, and at once: a later 5xx does not bring it back.
 * - In a request whose page nobody may see (`Sec-Purpose: prefetch` or one of its kind, or a HEAD) it returns nothing, and
 *   all messages stay.
 * - A visitor without a session gets none, and no session.
 * - Messages that do not decode any more are dropped, with a warning.
 *
 * Fails as `RequestContext.remove` does.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Flash } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Notice = Flash.make("notice", Schema.String)
 *
 * const orders = Effect.map(Flash.take(Notice), (notices) => HttpServerResponse.text(notices.join("\n")))
 * ```
 *
 * @since 1.0.0
 * @category messages
 */
export const take = <A, I, R>(
  flash: Flash<A, I, R>
): Effect.Effect<ReadonlyArray<A>, ChangeError, R | RequestContext> =>
  whenSeen([], (context) => Messages.take(context, flash.list))

/**
 * The messages that wait to be taken, the oldest first; all of them stay.
 *
 * Fails as `RequestContext.get` does.
 *
 * @example
 * ```ts
 * import { Flash } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const Notice = Flash.make("notice", Schema.String)
 *
 * const count = Effect.map(Flash.peek(Notice), (notices) => notices.length)
 * ```
 *
 * @since 1.0.0
 * @category messages
 */
export const peek = <A, I, R>(
  flash: Flash<A, I, R>
): Effect.Effect<ReadonlyArray<A>, ReadError, R | RequestContext> =>
  Effect.flatMap(RequestContext, (context) => Messages.peek(context, flash.list))

/** Without an HTTP request, as in a unit test, every page is seen. */
const whenSeen = <A, E, R>(
  unseen: A,
  use: (context: RequestContextService) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | RequestContext> =>
  Effect.withFiberRuntime((fiber) => {
    const request = Context.getOption(fiber.currentContext, HttpServerRequest.HttpServerRequest)
    return request._tag === "Some" && isUnseen(request.value)
      ? Effect.succeed(unseen)
      : use(Context.unsafeGet(fiber.currentContext, RequestContext))
  })

// ── forms ──

/**
 * A form that is shown again with what was put into it, after it failed.
 *
 * @since 1.0.0
 * @category models
 */
export interface FormFlash {
  readonly name: string
  readonly secrets: ReadonlySet<string>
  /** @internal */
  readonly list: Messages.List<Form.Failed, typeof Form.Failed.Encoded, never>
}

/**
 * Makes the flash of a form.
 *
 * - `secrets`: the fields that are never kept, such as passwords.
 *
 * @example
 * ```ts
 * import { Flash } from "effect-session"
 *
 * const SignUp = Flash.form("sign-up", { secrets: ["password"] })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const form = (
  name: string,
  options: { readonly secrets?: ReadonlyArray<string> | undefined } = {}
): FormFlash => ({
  name,
  secrets: new Set(options.secrets),
  list: { key: SessionKey.make(`effect-session/Flash/form/${name}`, Schema.Array(Form.Failed)), max: 1 }
})

/**
 * What is wrong with a form, and what was put into it.
 *
 * - `input`: the fields: a record, or the pairs of `HttpServerRequest.urlParamsBody`.
 * - `errors`: the messages by field, or the `ParseError` of a schema (with `{ errors: "all" }` it has those of all fields). An
 *   error inside a field's value has the path `field.part`, and one of the whole form the empty name. Of Effect's own
 *   messages the part that repeats the input is left out.
 *
 * @since 1.0.0
 * @category models
 */
export interface Failure {
  readonly input: Form.Texts | Fields | ReadonlyArray<readonly [name: string, text: string]>
  readonly errors: Form.Texts | SchemaError
}

/**
 * Keeps a form that failed, for the page that shows it again. Only the last failure of a form is kept. If its input is too
 * large for the session, the errors alone are kept.
 *
 * Fails as `RequestContext.insert` does.
 *
 * @example
 * ```ts
 * import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
 * import { Flash } from "effect-session"
 * import { Effect, Schema } from "effect"
 *
 * const SignUp = Flash.form("sign-up", { secrets: ["password"] })
 *
 * const Fields = Schema.Struct({
 *   email: Schema.String.pipe(Schema.pattern(/@/, { message: () => "This is not an e-mail address." })),
 *   password: Schema.String.pipe(Schema.minLength(12, { message: () => "Use 12 characters or more." }))
 * })
 *
 * const signUp = Effect.gen(function*() {
 *   const request = yield* HttpServerRequest.HttpServerRequest
 *   const input = yield* request.urlParamsBody
 *   const fields = yield* Schema.decodeUnknown(Fields, { errors: "all" })(Object.fromEntries(input)).pipe(
 *     Effect.tapError((errors) => Flash.failForm(SignUp, { input, errors }))
 *   )
 *   // … the account is created from the fields …
 *   return HttpServerResponse.redirect(`/welcome?email=${encodeURIComponent(fields.email)}`, { status: 303 })
 * }).pipe(Effect.catchTag("ParseError", () => HttpServerResponse.redirect("/sign-up", { status: 303 })))
 * ```
 *
 * @since 1.0.0
 * @category forms
 */
export const failForm = (
  form: FormFlash,
  failure: Failure
): Effect.Effect<void, ChangeError, RequestContext> =>
  Effect.flatMap(RequestContext, (context) => {
    const errors = Form.errorsOf(failure.errors)
    const keep = (input: Form.Failed["input"]) => Messages.add(context, form.list, { input, errors })
    return Effect.catchTag(keep(Form.inputOf(failure.input, form.secrets)), "SessionTooLarge", () => keep([]))
  })

/**
 * A form as its page shows it.
 *
 * - `failed`: whether it failed just now. Of a form that did not, all texts and errors are empty.
 * - `value`: the first text of a field, or the empty text. `values`: all of them.
 * - `error`: the first error of a field, or the empty text. `errors`: all of them. Those of the whole form have the name `""`.
 *
 * @since 1.0.0
 * @category models
 */
export interface Refilled {
  readonly failed: boolean
  readonly value: (field: string) => string
  readonly values: (field: string) => ReadonlyArray<string>
  readonly error: (field: string) => string
  readonly errors: (field: string) => ReadonlyArray<string>
}

const refilled = (failed: Form.Failed | undefined): Refilled => {
  const values = (field: string) => textsOf(failed?.input, field)
  const errors = (field: string) => textsOf(failed?.errors, field)
  return {
    failed: failed !== undefined,
    value: (field) => values(field)[0] ?? "",
    values,
    error: (field) => errors(field)[0] ?? "",
    errors
  }
}

const textsOf = (pairs: Form.Failed["input"] = [], name: string): ReadonlyArray<string> =>
  pairs.filter(([each]) => each === name).map(([, text]) => text)

/**
 * Takes the form that failed, once, as {@link take} does. The texts are what the client sent: escape them.
 *
 * Fails as `RequestContext.remove` does.
 *
 * @example
 * ```ts
 * import { HttpServerResponse } from "@effect/platform"
 * import { Flash } from "effect-session"
 * import { Effect } from "effect"
 *
 * declare const escape: (text: string) => string
 *
 * const SignUp = Flash.form("sign-up", { secrets: ["password"] })
 *
 * const page = Effect.map(Flash.refill(SignUp), (form) =>
 *   HttpServerResponse.text(
 *     `<form method="post">
 *       <input name="email" value="${escape(form.value("email"))}"> ${escape(form.error("email"))}
 *       <input name="password" type="password"> ${escape(form.error("password"))}
 *     </form>`,
 *     { contentType: "text/html" }
 *   ))
 * ```
 *
 * @since 1.0.0
 * @category forms
 */
export const refill = (form: FormFlash): Effect.Effect<Refilled, ChangeError, RequestContext> =>
  whenSeen(
    refilled(undefined),
    (context) => Effect.map(Messages.take(context, form.list), ([failed]) => refilled(failed))
  )
