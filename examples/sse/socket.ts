/**
 * A WebSocket that sends each message back, and closes when the user has signed out.
 */
import { HttpServerRequest, HttpServerResponse, Socket } from "@effect/platform"
import { Effect } from "effect"
import { RequestContext } from "effect-session"
import { untilSignedOut } from "./untilSignedOut.js"

export const socket = Effect.gen(function*() {
  const { subject } = yield* RequestContext.requireSignedIn
  const socket = yield* HttpServerRequest.upgrade
  const write = yield* socket.writer
  yield* Effect.race(
    socket.runRaw((message) => write(`${subject}: ${String(message)}`)),
    Effect.zipRight(untilSignedOut, write(new Socket.CloseEvent(4001, "signed out")))
  )
  return HttpServerResponse.empty()
}).pipe(
  Effect.scoped,
  // The other side has gone.
  Effect.catchTag("SocketError", () => Effect.succeed(HttpServerResponse.empty()))
)
