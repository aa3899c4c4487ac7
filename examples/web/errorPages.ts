/**
 * What people see when something is refused or fails. It stands outside of all routes and of `Csrf`, and inside the session.
 */
import { HttpLayerRouter, HttpServerRequest } from "@effect/platform"
import { Effect } from "effect"
import { redirect } from "./form.js"
import { html } from "./html.js"
import { plainPage } from "./layout.js"

const problem = (status: number, title: string, text: string) =>
  plainPage({ title, status, body: html`<h1>${title}</h1><p>${text}</p><p><a href="/">To the teas</a></p>` })

const pageFor = (tag: string | undefined, request: HttpServerRequest.HttpServerRequest) => {
  switch (tag) {
    case "NotSignedIn":
      return redirect(`/sign-in?to=${encodeURIComponent(request.method === "GET" ? request.url : "/")}`)
    case "CsrfRefused":
      return problem(403, "Refused", "This request did not come from a page of this app, and nothing was changed.")
    case "RouteNotFound":
      return problem(404, "There is no such page", "The address may be wrong.")
    case "SessionEnded":
      return problem(409, "Signed out", "This session has ended in the meantime, and nothing was changed.")
    case "UnreadableForm":
      return problem(413, "That was too much", "The form could not be read.")
    case "SessionStoreError":
      return problem(503, "Sessions cannot be reached", "Please try again in a moment. Nothing was changed.")
    default:
      return undefined
  }
}

const isTagged = (error: unknown): error is { readonly _tag: string; readonly reason?: unknown } =>
  typeof error === "object" && error !== null && "_tag" in error

/** What the server itself fails with is, in Effect 4, the reason of another error. */
const tagOf = (error: unknown): string | undefined =>
  isTagged(error) ? isTagged(error.reason) ? error.reason._tag : error._tag : undefined

export const ErrorPages = HttpLayerRouter.middleware(
  (app) =>
    Effect.catchAll(app, (error) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        // The routes below /session are for programs, which get a status and no page.
        const page = request.url.startsWith("/session") ? undefined : pageFor(tagOf(error), request)
        return page === undefined ? Effect.fail(error) : Effect.succeed(page)
      })),
  { global: true }
)
