/**
 * A client of the API in server.ts: typed by the same description, with a jar for its cookies.
 *
 * `npm run example -- http-api/client` signs in, adds a note and signs out. `URL=` names another server.
 */
import { Cookies, FetchHttpClient, HttpApiClient, HttpClient, HttpClientRequest } from "@effect/platform"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Console, Effect, Ref } from "effect"
import { api } from "./api.js"

/** A client with a jar of its own, as a browser has one. */
const makeClient = (baseUrl: string) =>
  Effect.gen(function*() {
    const jar = yield* Ref.make(Cookies.empty)
    return yield* HttpApiClient.make(api, {
      transformClient: (client) =>
        client.pipe(
          HttpClient.mapRequest(HttpClientRequest.prependUrl(baseUrl)),
          HttpClient.withCookiesRef(jar),
          // Only pages of other sites need to be refused, and this is not a page.
          HttpClient.mapRequest(HttpClientRequest.setHeader("sec-fetch-site", "same-origin"))
        )
    })
  })

const program = Effect.gen(function*() {
  const client = yield* makeClient(yield* Config.withDefault(Config.string("URL"), "http://127.0.0.1:3000"))
  const stranger = yield* client.account.me().pipe(
    Effect.as("somebody"),
    Effect.catchTag("NotSignedIn", () => Effect.succeed("nobody"))
  )
  yield* Console.log(`before the sign-in: ${stranger}`)
  const mistake = yield* client.account.signIn({ payload: { email: "ada@example.com", password: "a guess" } }).pipe(
    Effect.as("let in"),
    Effect.catchTag("WrongPassword", () => Effect.succeed("refused"))
  )
  yield* Console.log(`a wrong password: ${mistake}`)
  yield* client.account.signIn({ payload: { email: "ada@example.com", password: "first programmer" } })
  yield* Console.log(`after the sign-in: ${(yield* client.account.me()).name}`)
  yield* client.notes.add({ payload: { text: "buy tea" } })
  yield* Console.log(`the notes: ${(yield* client.notes.list()).join(", ")}`)
  yield* client.account.signOut()
  const after = yield* client.notes.list().pipe(
    Effect.as("still there"),
    Effect.catchTag("NotSignedIn", () => Effect.succeed("not signed in"))
  )
  yield* Console.log(`after the sign-out: ${after}`)
})

program.pipe(Effect.provide(FetchHttpClient.layer), NodeRuntime.runMain)
