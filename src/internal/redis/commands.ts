/**
 * Commands as effects. Whatever goes wrong is a `SessionStoreError` whose detail holds no value of a session.
 */
import * as Effect from "effect/Effect"
import { SessionStoreError } from "../../SessionError.js"
import type { Script } from "./scripts.js"

/** What we need of a client of ioredis, `Redis` or `Cluster`, of any version. */
export interface Client {
  readonly call: (command: string, args: Array<string>) => Promise<unknown>
}

type Operation = SessionStoreError["operation"]
type Answer<A> = Effect.Effect<A, SessionStoreError>

/** Counts what is under way, so that a connection that hangs can be told from an idle one. */
export interface Watch {
  readonly sent: () => void
  readonly answered: () => void
}

export class Commands {
  constructor(private readonly client: Client, private readonly watch: Watch | undefined) {}

  /** One command. `read` may throw; `rescue` may make an answer of an error that the server gave. */
  run<A>(
    operation: Operation,
    command: string,
    args: Array<string>,
    read: (reply: unknown) => A,
    rescue?: (message: string) => A | undefined
  ): Answer<A> {
    return Effect.async<A, SessionStoreError>((resume) =>
      this.send(
        command,
        args,
        (reply) => resume(succeed(operation, read, reply)),
        (error) => {
          const rescued = rescue?.(messageOf(error))
          resume(rescued === undefined ? fail(operation, error) : Effect.succeed(rescued))
        }
      )
    )
  }

  /** One script on one key. It is sent once to each server, and again when the server has lost it. */
  script<A>(operation: Operation, script: Script, key: string, args: Array<string>, read: (reply: unknown) => A): Answer<A> {
    return Effect.async<A, SessionStoreError>((resume) => {
      const answer = (reply: unknown) => resume(succeed(operation, read, reply))
      this.send("EVALSHA", [script.sha, "1", key, ...args], answer, (error) => {
        // SCRIPT LOAD has no key and would reach any node of a cluster; EVAL reaches the key's and loads as well.
        if (messageOf(error).startsWith("NOSCRIPT")) {
          this.send("EVAL", [script.source, "1", key, ...args], answer, (error) => resume(fail(operation, error)))
        } else resume(fail(operation, error))
      })
    })
  }

  private send(
    command: string,
    args: Array<string>,
    onReply: (reply: unknown) => void,
    onError: (error: unknown) => void
  ): void {
    const { watch } = this
    try {
      if (watch === undefined) {
        this.client.call(command, args).then(onReply, onError)
      } else {
        watch.sent()
        this.client.call(command, args).then(
          (reply) => {
            watch.answered()
            onReply(reply)
          },
          (error) => {
            watch.answered()
            onError(error)
          }
        )
      }
    } catch (error) {
      watch?.answered()
      onError(error)
    }
  }
}

/** An exception in a promise's callback would be nobody's, and the fiber would wait for ever. */
const succeed = <A>(operation: Operation, read: (reply: unknown) => A, reply: unknown): Answer<A> => {
  try {
    return Effect.succeed(read(reply))
  } catch {
    return Effect.fail(SessionStoreError.of(operation, "Unavailable", "Redis gave a reply that is not understood"))
  }
}

const fail = (operation: Operation, error: unknown): Answer<never> =>
  Effect.fail(SessionStoreError.of(operation, "Unavailable", describe(error)))

const messageOf = (error: unknown): string => error instanceof Error ? error.message : ""

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
