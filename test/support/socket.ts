import type { Socket } from "@effect/platform"
import { Effect } from "effect"

/** Runs the effect for each message that arrives, until the socket closes. */
export const onMessage = <E, R>(
  socket: Socket.Socket,
  answer: (send: (text: string) => Effect.Effect<void, Socket.SocketError>) => Effect.Effect<unknown, E, R>
) => Effect.flatMap(socket.writer, (send) => socket.runRaw(() => answer(send)))
