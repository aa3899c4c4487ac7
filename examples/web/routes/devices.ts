/**
 * "Your devices": the sessions of the user, and how to end them.
 */
import { HttpLayerRouter } from "@effect/platform"
import { DateTime, Effect, Option } from "effect"
import { Flash, RequestContext, Sessions } from "effect-session"
import { deviceName } from "../deviceName.js"
import { field, readForm, redirect } from "../form.js"
import { format } from "../format.js"
import { html } from "../html.js"
import * as LastResponse from "../lastResponse.js"
import { page } from "../layout.js"
import { Notice } from "../session.js"
import { SignIn } from "../signIn.js"

const unavailable = page({
  title: "Devices",
  body: () =>
    html`<h1>Your devices</h1>
    <p class="lead">This page needs a store on the server.</p>
    <p>The cookie store keeps each session in its cookie, and nothing on the server. So nobody can list the sessions of a user, and
      nobody can end one from afar. Start the app with another store, such as <code>STORE=memory npm start</code>.</p>`
})

const devicesPage = Effect.gen(function*() {
  const { requireUser, sessions } = yield* SignIn
  if (Option.isNone(sessions)) return yield* unavailable
  const user = yield* requireUser
  const list = yield* Effect.provideService(Sessions.list(user), Sessions.SessionList, sessions.value)
  return yield* page({
    title: "Devices",
    body: ({ language }) =>
      html`<h1>Your devices</h1>
      <p class="lead">Everywhere you have signed in.</p>
      <ul class="devices">${
        list.map((session) =>
          html`<li${session.current && html` class="current"`}>
          <div>
            <h2>${deviceName(Option.getOrElse(session.userAgent, () => ""))}${
            session.current && html` <span class="count">this device</span>`
          }</h2>
            <p>Signed in ${format(language).time(DateTime.toDateUtc(session.authenticatedAt))}, last seen ${
            format(language).time(DateTime.toDateUtc(session.lastSeenAt))
          }</p>
          </div>
          ${
            !session.current
            && html`<form method="post" action="/devices/end">
            <input type="hidden" name="id" value="${session.id}">
            <button class="quiet">Sign out</button>
          </form>`
          }
        </li>`
        )
      }</ul>
      <div class="actions">
        <form method="post" action="/devices/end-others"><button class="quiet">Sign out all others</button></form>
        <form method="post" action="/devices/end-all"><button class="danger">Sign out everywhere</button></form>
      </div>
      <section class="note"><h2>Try this</h2>
        <p>Sign in with a second browser, or in a private window, and end that session here. Its next click is anonymous, and what
          a slow request of it still writes is dropped.</p></section>`
  })
})

/** The user's sessions, for a form of this page. */
const mine = Effect.gen(function*() {
  yield* LastResponse.note
  const { requireUser, sessions } = yield* SignIn
  return { user: yield* requireUser, sessions }
})

const endOne = Effect.gen(function*() {
  const { sessions, user } = yield* mine
  if (Option.isNone(sessions)) return redirect("/devices")
  // Only a session of this user can be ended, whatever id the form brings.
  const ended = yield* sessions.value.revoke(user, field(yield* readForm, "id"))
  yield* Flash.add(
    Notice,
    ended
      ? { kind: "success", text: "That device is signed out." }
      : { kind: "problem", text: "That device had signed out already." }
  )
  return redirect("/devices")
})

const endOthers = Effect.gen(function*() {
  const { sessions, user } = yield* mine
  if (Option.isNone(sessions)) return redirect("/devices")
  const ended = yield* Effect.provideService(Sessions.revokeOthers(user), Sessions.Sessions, sessions.value)
  yield* Flash.add(Notice, {
    kind: "success",
    text: ended === 1 ? "One other device is signed out." : `${ended} other devices are signed out.`
  })
  return redirect("/devices")
})

const endAll = Effect.gen(function*() {
  const { sessions, user } = yield* mine
  if (Option.isNone(sessions)) return redirect("/devices")
  yield* sessions.value.revokeAll(user)
  // This session has ended with the others. The message begins a new one.
  yield* RequestContext.flush
  yield* Flash.add(Notice, { kind: "success", text: "You have signed out everywhere." })
  return redirect("/")
})

export const DeviceRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/devices", devicesPage),
  HttpLayerRouter.route("POST", "/devices/end", endOne),
  HttpLayerRouter.route("POST", "/devices/end-others", endOthers),
  HttpLayerRouter.route("POST", "/devices/end-all", endAll)
])
