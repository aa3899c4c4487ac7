/**
 * A client that this library opens. It is set so that a request is answered soon, and so that no write is applied after its
 * request was answered with a failure: nothing waits in a queue for a connection, and nothing is sent twice.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Redis, type RedisOptions } from "ioredis"
import { SessionConfigError } from "../../SessionError.js"
import { later } from "../edition/fork.js"
import type { RedisSettings } from "./client.js"
import { describe, type Watch } from "./commands.js"

/** A connection that has given no answer for so long, although commands wait for one, counts as hanging. */
const silenceMillis = 5_000

/** Start-up waits for the first connection for so long, and then goes on without one. */
const patienceMillis = 5_000

const quitMillis = 1_000

export const connect = (
  settings: RedisSettings,
  silence: number = silenceMillis
): Effect.Effect<{ readonly client: Redis; readonly watch: Watch }, SessionConfigError, Scope.Scope> =>
  Effect.flatMap(resolve(settings), (options) =>
    Effect.gen(function*() {
      const { client, watch } = yield* Effect.acquireRelease(open(options, silence), ({ client, watch }) =>
        Effect.zipRight(Effect.sync(watch.stop), close(client)))
      yield* report(client)
      yield* untilConnected(client)
      return { client, watch }
    }))

const mistake = (path: string, message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path, message }] })

const reveal = (value: string | Redacted.Redacted<string> | undefined): string | undefined =>
  Redacted.isRedacted(value) ? Redacted.value(value) : value

const resolve = (
  settings: RedisSettings
): Effect.Effect<readonly [url: string | undefined, RedisOptions], SessionConfigError> => {
  const { password, url, ...rest } = settings
  const address = reveal(url)
  if (address !== undefined && !isRedisUrl(address)) {
    return Effect.fail(mistake("redis.url", "must be a URL: redis://… or rediss://…")) // not printed, because it may hold a password
  }
  const secret = reveal(password)
  const options: RedisOptions = {
    connectTimeout: patienceMillis,
    retryStrategy: (times) => Math.min(times * 50, 1_000),
    // A primary that has become a replica keeps its connections. Only a new connection reaches its successor.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...rest,
    ...(secret === undefined ? undefined : { password: secret }),
    ...kept
  }
  return Effect.succeed([address, options])
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

const isRedisUrl = (text: string): boolean => {
  try {
    return ["redis:", "rediss:"].includes(new URL(text).protocol)
  } catch {
    return false
  }
}

const open = ([url, options]: readonly [string | undefined, RedisOptions], silence: number) =>
  Effect.try({
    try: () => {
      const client = url === undefined ? new Redis(options) : new Redis(url, options)
      return { client, watch: watchOver(client, silence) }
    },
    // The client's own words may quote an option.
    catch: () => mistake("redis", "expected options that ioredis takes")
  })

/**
 * Drops a connection that does not answer any more: what waits in its socket would otherwise be applied when it comes back
 * to life, long after the callers gave up. One timer for all commands, started by the first.
 */
const watchOver = (client: Redis, silence: number): Watch & { readonly stop: () => void } => {
  let unanswered = 0
  let answers = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const start = () => {
    const before = answers
    timer = setTimeout(() => {
      timer = undefined
      if (unanswered === 0) return
      if (answers === before) client.disconnect(true)
      else start()
    }, silence)
    timer.unref()
  }
  // A connection that is made and then never becomes ready is closed, too.
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
  return {
    sent: () => {
      unanswered++
      if (timer === undefined) start()
    },
    answered: () => {
      unanswered--
      answers++
    },
    stop: () => clearTimeout(timer)
  }
}

/** Logs one warning for each outage. Without a listener the client would print every error with its stack. */
const report = (client: Redis): Effect.Effect<void> =>
  Effect.map(later, (log) => {
    let down = false
    client.on("error", (error) => {
      if (down) return
      down = true
      log(Effect.logWarning(`the session store lost its connection to Redis: ${describe(error)}`))
    })
    client.on("ready", () => {
      if (down) log(Effect.logInfo("the session store is connected to Redis again"))
      down = false
    })
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
