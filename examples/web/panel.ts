/**
 * The panel beside each page: what the session holds, and what the browser has of it. It is here to learn from. A real page
 * shows none of this, and even here the panel never shows the cookie's value, because whoever has it is signed in.
 */
import { HttpServerRequest } from "@effect/platform"
import { DateTime, Effect, Option, Schema } from "effect"
import { RequestContext, SessionKey, Sessions, SessionStore } from "effect-session"
import { format } from "./format.js"
import { type Content, type Html, html } from "./html.js"
import * as LastResponse from "./lastResponse.js"
import type { Language } from "./session.js"
import { SignIn } from "./signIn.js"

const anything = (name: string) => SessionKey.make(name, Schema.Unknown)

/** Every value as JSON, but for those that the library keeps for itself. */
const entries = Effect.flatMap(
  RequestContext.keys,
  (names) =>
    Effect.forEach([...names].sort(), (name) =>
      name.startsWith("effect-session/")
        ? Effect.succeed([name, "(kept by the library)"] as const)
        : Effect.map(
          RequestContext.get(anything(name)),
          (value) => [name, JSON.stringify(Option.getOrNull(value))] as const
        ))
)

/** When the session ends. The server can say it to the second where it can list the sessions of the user. */
const expiry = (language: typeof Language.Type) =>
  Effect.gen(function*() {
    const { config } = yield* SessionStore.SessionStore
    const { sessions, user } = yield* SignIn
    const id = yield* user
    const idle = `${duration(config.idleMillis)} after its last use`
    const absolute = config.absoluteMillis === undefined
      ? ""
      : `, at the latest ${duration(config.absoluteMillis)} after it began`
    if (Option.isNone(id) || Option.isNone(sessions)) return idle + absolute
    const list = yield* Effect.provideService(Sessions.list(id.value), Sessions.SessionList, sessions.value)
    const current = list.find((session) => session.current)
    return current === undefined
      ? idle + absolute
      : `${format(language).time(DateTime.toDateUtc(current.expiresAt))}, or later if it is used before`
  })

const duration = (millis: number): string => {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const
  const [unit, length] = units.find(([, length]) => millis >= length) ?? units[3]
  const count = Math.round(millis / length)
  return `${count} ${unit}${count === 1 ? "" : "s"}`
}

/** The name of the cookie with its attributes, as the configuration says. */
const attributes = (config: SessionStore.SessionStoreService["config"]): string =>
  [
    `Path=${config.path}`,
    config.domain !== undefined && `Domain=${config.domain}`,
    config.persistent ? `Max-Age=${config.idleMillis / 1000}` : "until the browser closes",
    config.httpOnly && "HttpOnly",
    config.secure && "Secure",
    `SameSite=${config.sameSite[0].toUpperCase()}${config.sameSite.slice(1)}`
  ].filter((text) => text !== false).join("; ")

const facts = (rows: ReadonlyArray<readonly [name: string, value: Content]>): Html =>
  html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`

const lastResponse = (last: Option.Option<LastResponse.LastResponse>): Html =>
  Option.match(last, {
    onNone: () => html`<p>Nothing yet. Press a button on this page.</p>`,
    onSome: ({ request, setCookies, status }) =>
      html`<p><code>${request}</code> → <code>${status}</code></p>
      ${
        setCookies.length === 0
          ? html`<p>No <code>Set-Cookie</code>: the browser keeps the cookie that it has.</p>`
          : setCookies.map((text) => html`<p><code>Set-Cookie: ${text}</code></p>`)
      }`
  })

export const panel = (storeName: string, language: typeof Language.Type) =>
  Effect.gen(function*() {
    const { config, kind } = yield* SessionStore.SessionStore
    const request = yield* HttpServerRequest.HttpServerRequest
    const id = yield* RequestContext.sessionId
    const user = yield* Effect.flatMap(SignIn, ({ user }) => user)
    const data = yield* entries
    const value = request.cookies[config.name]
    return html`<aside class="panel" aria-labelledby="panel-title">
      <h2 id="panel-title">Behind this page</h2>
      <p class="hint">What your last click has done. This panel is for the demo: a real page shows none of it.</p>

      <section>
        <h3>The last response</h3>
        ${lastResponse(yield* LastResponse.read)}
      </section>

      <section>
        <h3>The session</h3>
        ${
      facts([
        ["Store", storeName],
        [
          "Id",
          Option.match(id, {
            onNone: () => "there is no session yet",
            onSome: (id) =>
              kind === "client" ? "none: the cookie is the session" : html`<code>${id.slice(0, 8)}…</code>`
          })
        ],
        ["Signed in", Option.getOrElse(user, () => "nobody")],
        ["Ends", Option.isNone(id) ? "–" : yield* expiry(language)]
      ])
    }
        ${
      Option.isSome(id) && kind === "server" && html`<p class="hint">The id is a hash. Nobody can sign in with it.</p>`
    }
      </section>

      <section>
        <h3>Its data</h3>
        ${
      data.length === 0
        ? html`<p>Empty.</p>`
        : html`<table id="session">
          <thead><tr><th scope="col">Key</th><th scope="col">Value</th></tr></thead>
          <tbody>${data.map(([name, json]) => html`<tr><td>${name}</td><td><code>${json}</code></td></tr>`)}</tbody>
        </table>`
    }
      </section>

      <section>
        <h3>The cookie</h3>
        ${
      facts([
        ["Name", html`<code>${config.name}</code>`],
        [
          "Size",
          value === undefined ? "this request brought none" : `${config.name.length + 1 + value.length} bytes`
        ],
        ["Attributes", html`<code>${attributes(config)}</code>`]
      ])
    }
      </section>
    </aside>`
  })
