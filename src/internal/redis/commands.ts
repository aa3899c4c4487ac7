/**
 * Commands as effects. Whatever goes wrong is a `SessionStoreError` whose detail holds no value of a session.
 */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SessionStoreError } from "../../SessionError.js"
import { Call } from "../edition/call.js"
import type { RedisClient } from "./client.js"
import type { Script } from "./scripts.js"

type Operation = SessionStoreError["operation"]
type Answer<A> = Effect.Effect<A, SessionStoreError>
type Read<A> = (reply: unknown) => A

/** Counts what is under way, so that a connection that hangs can be told from an idle one. */
export interface Watch {
  readonly sent: () => void
  readonly answered: () => void
}

/** A `read` that throws is a reply that was not understood. A `rescue` may make an answer of an error of the server. */
export class Commands {
  private gathering: RedisClient["stream"]
  private readonly hgetall: (key: string) => Promise<unknown>

  constructor(private readonly client: RedisClient, private readonly watch: Watch | undefined) {
    // In upper case the reply stays the list that came: for `hgetall` ioredis makes an object of it, which costs more than
    // the command. With auto-pipelining `callBuffer` loses the command's name, and that ends the process (ioredis 5 and 6).
    this.hgetall = client.options?.enableAutoPipelining === true
      ? (key) => client.hgetallBuffer(key)
      : (key) => client.callBuffer("HGETALL", [key])
  }

  /** HGETALL, its reply as buffers, see `Records.flat`. */
  readHash<A>(
    operation: Operation,
    key: string,
    read: Read<A>,
    rescue?: (message: string) => A | undefined
  ): Answer<A> {
    return this.ask(operation, () => this.hgetall(key), read, rescue)
  }

  /** Any command, its reply as text. */
  run<A>(
    operation: Operation,
    command: string,
    args: Array<string>,
    read: Read<A>,
    rescue?: (message: string) => A | undefined
  ): Answer<A> {
    return this.ask(operation, () => this.client.call(command, args), read, rescue)
  }

  /** One script on one key, its reply as text. The script is sent once to each server, and again when the server lost it. */
  script<A>(operation: Operation, script: Script, key: string, args: Array<string>, read: Read<A>): Answer<A> {
    return this.ask(
      operation,
      () =>
        args.length < 1_000
          ? this.client.evalsha(script.sha, "1", key, ...args)
          : this.client.call("EVALSHA", [script.sha, "1", key, ...args]), // more than that may not fit onto the stack
      read,
      undefined,
      // SCRIPT LOAD has no key and would reach any node of a cluster; EVAL reaches the key's and loads as well.
      () => this.client.call("EVAL", [script.source, "1", key, ...args])
    )
  }

  /**
   * What fibers send in one turn of the event loop leaves in one write: with many requests at once the system's call for
   * each command costs more than all that is done here. (A cluster has a connection for each node, and none to hold back.)
   */
  private gather(): void {
    const { stream } = this.client
    if (stream === undefined || stream === this.gathering) return
    this.gathering = stream
    stream.cork()
    process.nextTick(() => {
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
          // In a promise's callback it would be nobody's, and the fiber would wait for ever.
          exit = fail(operation, "the reply was not understood")
        }
        answer(exit)
      }
      const onError = (error: unknown) => {
        watch?.answered()
        const message = error instanceof Error ? error.message : ""
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
 * An error as text for the log. The client hangs the whole command onto its errors, and the server quotes arguments in
 * some: only the message is taken, and only up to its first quote.
 */
export const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return "the client failed"
  const quote = error.message.search(/(?<![a-z])['"`]/i)
  const message = (quote === -1 ? error.message : error.message.slice(0, quote)).trim().slice(0, 200)
  // A refused connection to a name with several addresses has an empty message and a code.
  return message !== "" ? message : "code" in error && typeof error.code === "string" ? error.code : error.name
}
