/**
 * A client that this library opens. It is set so that a request is answered soon, and so that no write is applied after its
 * request was answered with a failure: nothing waits in a queue for a connection, and nothing is sent twice.
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Redis, type RedisOptions } from "ioredis"
import type { SessionConfigError } from "../../SessionError.js"
import type { Watch } from "./commands.js"
import { mistake, reveal } from "./settings.js"
import { outages, Silence, silenceMillis } from "./watch.js"

/** Start-up waits for the first connection for so long, and then goes on without one. */
const patienceMillis = 5_000

const quitMillis = 1_000

/**
 * Where Redis is: a `url` (`redis://…`, `rediss://…`), the options of `ioredis` (`host`, `port`, `path`, `tls`, `sentinels`, …),
 * or both. The default is `localhost:6379`.
 *
 * Some options of `ioredis` cannot be set, because they decide whether a command may wait for a connection or be sent twice. A
 * write could then be applied long after its request was answered with a failure, or be applied twice.
 *
 * @since 0.1.0
 * @category models
 */
export interface RedisSettings extends
  Omit<
    RedisOptions,
    | "autoResendUnfulfilledCommands"
    | "enableOfflineQueue"
    | "lazyConnect"
    | "maxRetriesPerRequest"
    | "monitor"
    | "password"
    | "readOnly"
    | "stringNumbers"
  >
{
  readonly url?: string | Redacted.Redacted<string> | undefined
  readonly password?: string | Redacted.Redacted<string> | undefined
}

export const connect = (
  settings: RedisSettings,
  silence: number = silenceMillis
): Effect.Effect<{ readonly client: Redis; readonly watch: Watch }, SessionConfigError, Scope.Scope> =>
  Effect.flatMap(resolve(settings), (options) =>
    Effect.gen(function*() {
      const { client, watch } = yield* Effect.acquireRelease(open(options, silence), ({ client, watch }) =>
        Effect.zipRight(Effect.sync(() => watch.stop()), close(client)))
      yield* report(client)
      yield* untilConnected(client)
      return { client, watch }
    }))

const resolve = (
  settings: RedisSettings
): Effect.Effect<readonly [url: string | undefined, RedisOptions], SessionConfigError> => {
  const { password: _password, url: _url, ...rest } = settings
  return Effect.map(reveal(settings), ({ password, url }) => [url, {
    connectTimeout: patienceMillis,
    retryStrategy: (times) => Math.min(times * 50, 1_000),
    // A primary that has become a replica keeps its connections. Only a new connection reaches its successor.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...rest,
    ...(password === undefined ? undefined : { password }),
    ...kept
  }])
}

/** The options that the promises of this store rest on. An app cannot change them. */
const kept = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  lazyConnect: false,
  readOnly: false,
  monitor: false,
  stringNumbers: false
} satisfies RedisOptions

const open = ([url, options]: readonly [string | undefined, RedisOptions], silence: number) =>
  Effect.try({
    try: () => {
      const client = url === undefined ? new Redis(options) : new Redis(url, options)
      dropUnready(client)
      return { client, watch: new Silence(silence, () => client.disconnect(true)) }
    },
    // The client's own words may quote an option.
    catch: () => mistake("redis", "expected options that ioredis takes")
  })

/** A connection that is made and then never becomes ready is closed. */
const dropUnready = (client: Redis): void => {
  client.on("connect", () => {
    const unready = setTimeout(() => client.disconnect(true), silenceMillis)
    unready.unref()
    const settled = () => {
      clearTimeout(unready)
      client.off("ready", settled)
      client.off("close", settled)
    }
    client.once("ready", settled)
    client.once("close", settled)
  })
}

/** Without a listener the client would print every error with its stack. */
const report = (client: Redis): Effect.Effect<void> =>
  Effect.map(outages, ({ connected, lost }) => {
    client.on("error", lost)
    client.on("ready", connected)
  })

/** Waits for the first connection, whether it succeeds or not: an app also starts without its Redis, and recovers with it. */
const untilConnected = (client: Redis): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const stop = () => {
      clearTimeout(timer)
      for (const event of events) client.off(event, settle)
    }
    const settle = () => {
      stop()
      resume(Effect.void)
    }
    const events = ["ready", "error", "close", "end"]
    const timer = setTimeout(settle, patienceMillis)
    for (const event of events) client.on(event, settle)
    if (client.status === "ready") settle()
    return Effect.sync(stop)
  })

/** Lets the replies arrive that are still expected, but does not wait for a server that does not answer. */
const close = (client: Redis): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const settle = () => {
      clearTimeout(timer)
      client.disconnect()
      resume(Effect.void)
    }
    const timer = setTimeout(settle, quitMillis)
    client.quit().then(settle, settle)
  })
