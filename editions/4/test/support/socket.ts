import { Effect, type Scope } from "effect"
import type { Socket } from "effect/socket"

/** Runs the effect for each message that arrives, until the socket closes. */
export const onMessage = <E, R>(
  socket: Socket.Socket,
  answer: (send: (text: string) => Effect.Effect<void, Socket.SocketError>) => Effect.Effect<unknown, E, R>
): Effect.Effect<never, E | Socket.SocketError, R | Scope.Scope> =>
  Effect.flatMap(
    Effect.all([socket.reader, socket.writer]),
    ([{ pull }, { write }]) => Effect.forever(Effect.andThen(pull, Effect.suspend(() => answer(write))))
  )
