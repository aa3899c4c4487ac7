/**
 * A WebSocket that sends each message back, and closes when the user has signed out.
 */
import { Effect } from "effect"
import { RequestContext } from "effect-session"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import { Socket } from "effect/socket"
import { untilSignedOut } from "./untilSignedOut.js"

export const socket = Effect.gen(function*() {
  const { subject } = yield* RequestContext.requireSignedIn
  const request = yield* HttpServerRequest.HttpServerRequest
  const socket = yield* request.upgrade
  const { write } = yield* socket.writer
  const { pull } = yield* socket.reader
  const echo = Effect.flatMap(
    pull,
    (messages) => Effect.forEach(messages, (message) => write(`${subject}: ${String(message)}`), { discard: true })
  )
  yield* Effect.race(
    Effect.forever(echo),
    Effect.andThen(untilSignedOut, write(new Socket.CloseEvent(4001, "signed out")))
  )
  return HttpServerResponse.empty()
}).pipe(
  Effect.scoped,
  // The other side has gone.
  Effect.catchTag("SocketError", () => Effect.succeed(HttpServerResponse.empty()))
)
