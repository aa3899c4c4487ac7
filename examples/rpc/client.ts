/**
 * A client of the RPCs in server.ts, with a jar for its cookies.
 *
 * `npm run example -- rpc/client` signs in, counts and signs out. `URL=` names another server.
 */
import { Cookies, FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { RpcClient, RpcSerialization } from "@effect/rpc"
import { Config, Console, Effect, Layer, Ref } from "effect"
import { Rpcs } from "./rpcs.js"

const makeClient = (baseUrl: string) =>
  Effect.gen(function*() {
    const jar = yield* Ref.make(Cookies.empty)
    const http = yield* HttpClient.HttpClient
    const protocol = yield* RpcClient.makeProtocolHttp(
      http.pipe(
        HttpClient.withCookiesRef(jar),
        HttpClient.mapRequestInput(HttpClientRequest.prependUrl(`${baseUrl}/rpc`))
      )
    )
    return yield* RpcClient.make(Rpcs).pipe(Effect.provideService(RpcClient.Protocol, protocol))
  })

const program = Effect.gen(function*() {
  const client = yield* makeClient(yield* Config.withDefault(Config.string("URL"), "http://127.0.0.1:3000"))
  const who = client.me().pipe(Effect.catchTag("NotSignedIn", () => Effect.succeed("nobody")))
  yield* Console.log(`before the sign-in: ${yield* who}`)
  const mistake = yield* client.signIn({ email: "ada@example.com", password: "a guess" }).pipe(
    Effect.as("let in"),
    Effect.catchTag("WrongPassword", () => Effect.succeed("refused"))
  )
  yield* Console.log(`a wrong password: ${mistake}`)
  yield* client.count()
  yield* client.signIn({ email: "ada@example.com", password: "first programmer" })
  yield* Console.log(`after the sign-in: ${yield* who}, with the count at ${yield* client.count()}`)
  yield* client.signOut()
  yield* Console.log(`after the sign-out: ${yield* who}, with the count at ${yield* client.count()}`)
})

program.pipe(
  Effect.scoped,
  Effect.provide(Layer.merge(FetchHttpClient.layer, RpcSerialization.layerJson)),
  NodeRuntime.runMain
)
