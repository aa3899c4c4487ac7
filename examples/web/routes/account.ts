/**
 * Signing in and out.
 */
import { HttpLayerRouter, HttpServerRequest } from "@effect/platform"
import { Effect, Option } from "effect"
import { Flash, RequestContext } from "effect-session"
import { field, ownPath, readForm, redirect } from "../form.js"
import { html } from "../html.js"
import * as LastResponse from "../lastResponse.js"
import { page } from "../layout.js"
import { Notice, SignInForm } from "../session.js"
import { SignIn } from "../signIn.js"
import { checkPassword } from "../users.js"

const signIn = Effect.gen(function*() {
  yield* LastResponse.note
  const form = yield* readForm
  const to = ownPath(field(form, "to"))
  const user = yield* checkPassword(field(form, "email"), field(form, "password"))
  if (Option.isNone(user)) {
    // The same words for a wrong address and a wrong password.
    yield* Flash.failForm(SignInForm, { input: [...form], errors: { "": "The address or the password is wrong." } })
    return redirect(`/sign-in?to=${encodeURIComponent(to)}`)
  }
  const { bind } = yield* SignIn
  yield* bind(user.value.id)
  if (form.has("remember")) yield* RequestContext.setExpiry("30 days")
  yield* Flash.add(Notice, { kind: "success", text: `Welcome, ${user.value.name}.` })
  return redirect(to)
})

/** `flush` ends the session for good; the message goes into a new one. */
const signOut = Effect.gen(function*() {
  yield* LastResponse.note
  yield* RequestContext.flush
  yield* Flash.add(Notice, { kind: "success", text: "You have signed out." })
  return redirect("/")
})

const signInPage = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  const to = ownPath(new URL(url, "http://app.invalid").searchParams.get("to") ?? "/")
  const form = yield* Flash.refill(SignInForm)
  const error = form.error("")
  return yield* page({
    title: "Sign in",
    body: () =>
      html`<h1>Sign in</h1>
      <form method="post" action="/sign-in" class="card">
        ${error !== "" && html`<p class="notice problem" id="sign-in-error" role="alert">${error}</p>`}
        <input type="hidden" name="to" value="${to}">
        <label for="email">E-mail address</label>
        <input id="email" name="email" type="email" autocomplete="username" required value="${form.value("email")}"${
        error !== "" && html` aria-invalid="true" aria-describedby="sign-in-error"`
      }>
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required${
        error !== "" && html` aria-invalid="true" aria-describedby="sign-in-error"`
      }>
        <label class="check"><input type="checkbox" name="remember"${
        form.value("remember") !== "" && html` checked`
      }> Keep me signed in for 30 days</label>
        <button>Sign in</button>
      </form>
      <section class="note"><h2>Two users to try</h2>
        <p><code>ada@example.com</code> with the password <code>first programmer</code>, and <code>alan@example.com</code> with
          <code>can machines think</code>.</p>
        <p>Watch the id in the panel. Signing in gives the session a new one, so that an id which somebody has planted or seen
          before is worth nothing.</p></section>`
  })
})

export const AccountRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/sign-in", signInPage),
  HttpLayerRouter.route("POST", "/sign-in", signIn),
  HttpLayerRouter.route("POST", "/sign-out", signOut)
])
