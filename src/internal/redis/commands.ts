/**
 * Redis commands as effects. Every failure is a `SessionStoreError` whose detail holds no value of a session.
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { setImmediate } from "node:timers"
import { SessionStoreError } from "../../SessionError.js"
import { Call } from "../edition/call.js"
import type { RedisClient } from "./client.js"
import type { Script } from "./scripts.js"

type Operation = SessionStoreError["operation"]
type Answer<A> = Effect.Effect<A, SessionStoreError>
type Read<A> = (reply: unknown) => A

/** Is notified of each command and of its answer; `failure` is the message of an error that came in place of a reply. */
export interface Watch {
  readonly sent: () => void
  readonly answered: (failure?: string) => void
}

/**
 * Sends commands through a client. When the `read` of a command throws, its reply was not understood. Its `rescue` may turn an
 * error of the server into an answer.
 */
export class Commands {
  private gathering: RedisClient["stream"]
  private readonly hgetall: (key: string) => Promise<unknown>

  constructor(private readonly client: RedisClient, private readonly watch: Watch | undefined) {
    // With the name in upper case the reply stays a list. For `hgetall` ioredis makes an object of it, which costs more than the
    // command. With auto-pipelining `callBuffer` loses the command's name, and the process crashes (ioredis 5 and 6).
    this.hgetall = client.options?.enableAutoPipelining === true
      ? (key) => client.hgetallBuffer(key)
      : (key) => client.callBuffer("HGETALL", [key])
  }

  /** Sends HGETALL and reads its reply as buffers, see `Records.flat`. */
  readHash<A>(
    operation: Operation,
    key: string,
    read: Read<A>,
    rescue?: (message: string) => A | undefined
  ): Answer<A> {
    return this.ask(operation, () => this.hgetall(key), read, rescue)
  }

  /** Sends GET for each key, all in one write, and reads the replies as texts. */
  readTexts<A>(
    operation: Operation,
    keys: ReadonlyArray<string>,
    read: (replies: ReadonlyArray<unknown>) => A
  ): Answer<A> {
    return this.ask(
      operation,
      () => Promise.all(keys.map((key) => this.client.call("GET", [key]))),
      (replies) => read(replies as ReadonlyArray<unknown>), // `Promise.all` gives a list
      undefined
    )
  }

  /** Sends a command and reads its reply as text. */
  run<A>(
    operation: Operation,
    command: string,
    args: Array<string>,
    read: Read<A>,
    rescue?: (message: string) => A | undefined
  ): Answer<A> {
    return this.ask(operation, () => this.client.call(command, args), read, rescue)
  }

  /**
   * Runs a script on one key and reads its reply as text. The source of the script is sent once to each server, and again when
   * the server has lost it.
   */
  script<A>(operation: Operation, script: Script, key: string, args: Array<string>, read: Read<A>): Answer<A> {
    return this.ask(
      operation,
      () =>
        args.length < 1_000
          ? this.client.evalsha(script.sha, "1", key, ...args)
          : this.client.call("EVALSHA", [script.sha, "1", key, ...args]), // more arguments may not fit onto the stack
      read,
      undefined,
      // SCRIPT LOAD has no key, so that it would reach any node of a cluster. EVAL reaches the key's node and loads the script.
      () => this.client.call("EVAL", [script.source, "1", key, ...args])
    )
  }

  /**
   * Lets all commands that fibers send in one turn of the event loop leave in one write. With many requests at once, a system
   * call for each command would cost more than all the rest of this file. The turn ends after all sockets that had something to
   * read, because each browser has a socket of its own. (A cluster has a connection for each node, and no single stream that
   * could be held back.)
   */
  private gather(): void {
    const { stream } = this.client
    if (stream === undefined || stream === this.gathering) return
    this.gathering = stream
    stream.cork()
    setImmediate(() => {
      if (this.gathering === stream) this.gathering = undefined
      stream.uncork()
    })
  }

  private ask<A>(
    operation: Operation,
    command: () => Promise<unknown>,
    read: Read<A>,
    rescue: ((message: string) => A | undefined) | undefined,
    whenNoScript?: () => Promise<unknown>
  ): Answer<A> {
    return new Call<A, SessionStoreError>((answer) => {
      const { watch } = this
      let loaded = false
      const onReply = (reply: unknown) => {
        watch?.answered()
        let exit: Exit.Exit<A, SessionStoreError>
        try {
          exit = Exit.succeed(read(reply))
        } catch {
          // Nobody would catch an exception in a promise's callback, and the fiber would wait for ever.
          exit = fail(operation, "the reply was not understood")
        }
        answer(exit)
      }
      const onError = (error: unknown) => {
        const message = error instanceof Error ? error.message : ""
        watch?.answered(message)
        if (whenNoScript !== undefined && !loaded && message.startsWith("NOSCRIPT")) {
          loaded = true
          return send(whenNoScript)
        }
        const rescued = rescue?.(message)
        answer(rescued === undefined ? fail(operation, describe(error)) : Exit.succeed(rescued))
      }
      const send = (command: () => Promise<unknown>) => {
        watch?.sent()
        this.gather()
        try {
          command().then(onReply, onError)
        } catch (error) {
          onError(error)
        }
      }
      send(command)
    })
  }
}

const fail = (operation: Operation, detail: string): Exit.Exit<never, SessionStoreError> =>
  Exit.fail(SessionStoreError.of(operation, "Unavailable", detail))

/**
 * An error as text for the log. The client attaches the whole command to its errors, and the server quotes arguments in some of
 * them. Therefore only the message is taken, and only up to its first quotation mark.
 */
export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return "the client failed"
  const quote = error.message.search(/(?<![a-z])['"`]/i)
  const message = (quote === -1 ? error.message : error.message.slice(0, quote)).trim().slice(0, 200)
  // When a connection to a name with several addresses is refused, the error has an empty message and a code.
  return message !== "" ? message : "code" in error && typeof error.code === "string" ? error.code : error.name
}
