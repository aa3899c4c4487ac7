/**
 * A client of `redis` (node-redis) that this library opens, set as `connection.ts` sets the one of `ioredis`: nothing waits in a
 * queue for a connection, and nothing is sent twice.
 *
 * node-redis cannot give up one connection and go on with the next. A client whose connection hangs is therefore replaced by a
 * new client with the same options.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createClient, type RedisClientOptions } from "redis"

import type { SessionConfigError } from "../../SessionError.js"
import type { RedisClient } from "./client.js"
import type { Watch } from "./commands.js"
import { fromClient } from "./nodeRedis.js"
import { mistake, reveal, type Secret } from "./settings.js"
import { outages, Silence, silenceMillis } from "./watch.js"

/** Start-up waits for the first connection for so long, and then goes on without one. */
const patienceMillis = 5_000

const quitMillis = 1_000

/**
 * Where Redis is: a `url` (`redis://…`, `rediss://…`), the options of `createClient` (`socket`, `username`, `database`, …), or
 * both. The default is `localhost:6379`.
 *
 * Some options cannot be set, because they decide whether a command may wait for a connection, or what a reply looks like.
 *
 * @since 1.0.0
 * @category models
 */
export interface NodeRedisSettings extends
  Omit<
    RedisClientOptions,
    | "clientSideCache"
    | "commandOptions"
    | "disableOfflineQueue"
    | "emitInvalidate"
    | "functions"
    | "modules"
    | "password"
    | "readonly"
    | "scripts"
    | "url"
  >
{
  readonly url?: Secret | undefined
  readonly password?: Secret | undefined
}

/** Opens a client that is closed with the scope. Waits for its first connection, but an app also starts without its Redis. */
export const connect = (
  settings: NodeRedisSettings,
  silence: number = silenceMillis
): Effect.Effect<{ readonly client: RedisClient; readonly watch: Watch }, SessionConfigError, Scope.Scope> =>
  Effect.gen(function*() {
    const { connected, lost } = yield* outages
    const secrets = yield* reveal(settings)
    const { password: _password, url: _url, ...rest } = settings
    const options: RedisClientOptions = {
      ...rest,
      ...(secrets.url === undefined ? undefined : { url: secrets.url }),
      ...(secrets.password === undefined ? undefined : { password: secrets.password }),
      disableOfflineQueue: true
    }
    const connection = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new Connection(options, { lost, connected }),
        // The client's own words may quote an option.
        catch: () => mistake("redis", "expected options that createClient of redis takes")
      }),
      (connection) => Effect.promise(() => connection.close())
    )
    yield* Effect.promise(() => connection.settled(patienceMillis))
    const hanging = new Silence(silence, () => connection.replace())
    yield* Effect.addFinalizer(() => Effect.sync(() => hanging.stop()))
    return {
      client: fromClient({
        sendCommand: (args, options) => connection.current.sendCommand(args, options as ReplyOptions)
      }),
      watch: {
        sent: () => hanging.sent(),
        answered: (failure) => {
          hanging.answered()
          // A primary that has become a replica keeps its connections. Only a new connection reaches its successor.
          if (failure?.startsWith("READONLY") === true) connection.replace()
        }
      }
    }
  })

interface Listener {
  readonly lost: (error: unknown) => void
  readonly connected: () => void
}

type Client = ReturnType<typeof createClient>
type ReplyOptions = Parameters<Client["sendCommand"]>[1]

class Connection {
  current: Client
  private isFirstOver = false
  private isClosed = false
  private readonly waiting = new Set<() => void>()
  /** The clients that have a socket, whether it is ready or not. */
  private readonly connected = new WeakSet<Client>()

  constructor(private readonly options: RedisClientOptions, private readonly listener: Listener) {
    this.current = this.open()
  }

  /** Begins anew with a client of its own, unless that has just been done. */
  replace(): void {
    if (this.isClosed || !this.connected.has(this.current)) return
    const former = this.current
    this.current = this.open()
    this.end(former)
  }

  /** Resolves when the first attempt to connect has succeeded or failed, or when the time is over. */
  settled(millis: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.isFirstOver) return resolve()
      const settle = () => {
        clearTimeout(timer)
        this.waiting.delete(settle)
        resolve()
      }
      const timer = setTimeout(settle, millis)
      this.waiting.add(settle)
    })
  }

  /** Lets the replies arrive that are still expected, but does not wait for a server that does not answer. */
  async close(): Promise<void> {
    this.isClosed = true
    const client = this.current
    if (client.isReady) {
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, quitMillis)
      })
      await Promise.race([client.close().catch(() => undefined), late])
      clearTimeout(timer)
    }
    this.end(client)
  }

  /** Ends a client at once. One that is still connecting would keep that connection, so it is ended when it has it. */
  private end(client: Client): void {
    if (this.connected.has(client)) return destroy(client)
    client.unref()
    client.once("connect", () => destroy(client))
  }

  private open(): Client {
    const { socket } = this.options
    const strategy = socket?.reconnectStrategy ?? ((times: number) => Math.min(50 + times * 50, 1_000))
    const client = createClient({
      ...this.options,
      socket: {
        connectTimeout: patienceMillis,
        ...socket,
        reconnectStrategy: (times: number, cause: Error) => {
          if (this.isClosed || !isCurrent()) return false
          return typeof strategy === "function" ? strategy(times, cause) : strategy
        }
      }
    } as RedisClientOptions) as Client
    const isCurrent = () => this.current === client
    client.on("connect", () => {
      this.connected.add(client)
      // A connection that is made and then never becomes ready is given up.
      const unready = setTimeout(() => {
        if (isCurrent()) this.replace()
      }, silenceMillis)
      unready.unref()
      const settled = () => clearTimeout(unready)
      client.once("ready", settled)
      client.once("error", settled)
    })
    client.on("error", (error) => {
      this.connected.delete(client)
      if (isCurrent() && !this.isClosed) this.listener.lost(error)
      this.first()
    })
    client.on("ready", () => {
      if (isCurrent()) this.listener.connected()
      this.first()
    })
    // The listener of errors has what this fails with.
    client.connect().catch(() => undefined)
    return client
  }

  private first(): void {
    this.isFirstOver = true
    for (const settle of [...this.waiting]) settle()
  }
}

const destroy = (client: Client): void => {
  try {
    client.destroy()
  } catch {
    // It was closed already.
  }
}
