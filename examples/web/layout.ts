/**
 * The frame of every page: the head, the navigation, the messages, and the panel.
 */
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Effect, Option } from "effect"
import { Flash, RequestContext } from "effect-session"
import { type Html, html } from "./html.js"
import { panel } from "./panel.js"
import { Cart, Notice, Preferences } from "./session.js"
import { SignIn } from "./signIn.js"
import { StoreName } from "./stores.js"
import { findUser } from "./users.js"

/** No script runs, not even one of ours; forms go to this app only, and nobody puts our pages into a frame. */
const policy = (ancestors: "'none'" | "'self'") =>
  "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
  + `frame-ancestors ${ancestors}`

const respond = (page: Html, status: number, ancestors: "'none'" | "'self'") =>
  HttpServerResponse.text(page.text, {
    status,
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy": policy(ancestors),
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff"
    }
  })

const document = (title: string, theme: string, body: Html): Html =>
  html`<!doctype html>
<html lang="en" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Leaf &amp; Kettle</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icon.svg">
</head>
<body>
${body}
</body>
</html>
`

/** A page that uses no session: for errors, and for what is shown in a frame. */
export const plainPage = (options: { readonly title: string; readonly body: Html; readonly status?: number }) =>
  respond(
    document(options.title, "system", html`<main id="main" class="plain">${options.body}</main>`),
    options.status ?? 200,
    "'self'"
  )

const links = [
  ["/", "Teas"],
  ["/cart", "Cart"],
  ["/preferences", "Preferences"],
  ["/devices", "Devices"],
  ["/other-site", "CSRF"]
] as const

export const page = (options: {
  readonly title: string
  readonly body: (visitor: { readonly language: typeof Preferences.fields.language.schema.Type }) => Html
  readonly status?: number
}) =>
  Effect.gen(function*() {
    // First the messages: they are gone when the panel shows what the session holds.
    const notices = yield* Flash.take(Notice)
    const { language, theme } = yield* RequestContext.getStruct(Preferences)
    const cart = yield* RequestContext.get(Cart)
    const user = Option.flatMap(yield* Effect.flatMap(SignIn, ({ user }) => user), findUser)
    const { url } = yield* HttpServerRequest.HttpServerRequest
    const path = url.split("?")[0]
    const count = cart.reduce((sum, { quantity }) => sum + quantity, 0)
    const link = ([to, text]: readonly [string, string]) =>
      html`<li><a href="${to}"${to === path ? html` aria-current="page"` : ""}>${text}${
        to === "/cart" && count > 0 && html` <span class="count">${count}<span class="unseen"> in it</span></span>`
      }</a></li>`
    const body = html`<a class="skip" href="#main">Skip to the content</a>
<header>
  <div class="bar">
    <a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M4 22C4 10 14 4 28 4c0 14-6 24-18 24-2 0-4-1-5-2 4-8 9-12 15-14-8 1-13 5-16 10Z"/></svg>Leaf &amp; Kettle</a>
    <nav aria-label="Main"><ul>${links.map(link)}</ul></nav>
    <div class="who">${
      Option.match(user, {
        onNone: () => html`<a class="button" href="/sign-in">Sign in</a>`,
        onSome: ({ name }) =>
          html`<span>Hello, ${name}</span><form method="post" action="/sign-out"><button class="quiet">Sign out</button></form>`
      })
    }</div>
  </div>
</header>
<div class="columns">
  <main id="main" tabindex="-1">
    <div class="notices" role="status" aria-live="polite">${
      notices.map(({ kind, text }) => html`<p class="notice ${kind}">${text}</p>`)
    }</div>
    ${options.body({ language })}
  </main>
  ${yield* panel(yield* StoreName, language)}
</div>`
    return respond(document(options.title, theme, body), options.status ?? 200, "'none'")
  })
