import { HttpApp, HttpLayerRouter, HttpServerResponse, KeyValueStore } from "@effect/platform"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Effect, Exit, Layer, Logger } from "effect"
import {
  KeyRing,
  RequestContext,
  RequestId,
  SessionBackend,
  SessionConfig,
  type SessionError,
  Sessions,
  SessionStore
} from "effect-session"
import * as SessionStoreKeyValue from "effect-session/SessionStore/KeyValueStore"
import * as RedisStore from "effect-session/SessionStore/Redis"
import * as SqlStore from "effect-session/SessionStore/Sql"
import { afterEach, vi } from "vitest"
import { countingStore } from "./support/counting.js"
import { A } from "./support/sessionKeys.js"
import { requestsTo } from "./support/stage.js"

const keys = Effect.runSync(KeyRing.generate)

const mistakesOf = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<readonly [string, string]> => {
  if (!Exit.isFailure(exit)) throw new Error("it started")
  const error = Cause.squash(exit.cause) as SessionError.SessionConfigError
  expect(error._tag).toBe("SessionConfigError")
  return error.mistakes.map(({ message, path }) => [path, message] as const)
}

const start = (layer: Layer.Layer<SessionStore.SessionStore, unknown>) =>
  Effect.exit(Effect.scoped(Effect.map(Layer.build(layer), () => "started")))

const block = (store: object) =>
  SessionConfig.fromUnknown({
    request_context: { enable: true, session_config: { name: "shop", secure: false }, session_store: store }
  })

describe("layerConfig", () => {
  it.effect("F1: layerConfig chooses Cookie or Memory by the configuration, with its options", () =>
    Effect.gen(function*() {
      for (
        const [store, kind] of [
          [{ type: "Cookie", value: { private_key: Array.from({ length: 64 }, (_, i) => i) } }, "client"],
          [{ type: "Memory" }, "server"]
        ] as const
      ) {
        const service = yield* SessionStore.SessionStore.pipe(
          Effect.provide(SessionStore.layerConfig({ from: block(store) }))
        )
        expect([service.kind, service.config.name, service.config.secure]).toEqual([kind, "shop", false])
      }
    }))

  it.effect("F1: Tower is the server store that the app provides, with the configuration's options", () =>
    Effect.gen(function*() {
      const from = block({ type: "Tower" })
      const counting = countingStore()
      for (
        const server of [
          (options: SessionConfig.SessionConfigOptions) => SessionStore.layerMemory(options),
          Layer.succeed(SessionBackend.SessionBackend, counting.backend)
        ]
      ) {
        const service = yield* Effect.provide(SessionStore.SessionStore, SessionStore.layerConfig({ server, from }))
        expect([service.kind, service.config.name]).toEqual(["server", "shop"])
      }
    }))

  it.effect("F1: Tower without a server store does not start, and says what to provide", () =>
    Effect.gen(function*() {
      const [[path, message]] = mistakesOf(yield* start(SessionStore.layerConfig({ from: block({ type: "Tower" }) })))
      expect(path).toBe("session_store.type")
      expect(message).toContain("SessionStore.layerConfig({ server:")
    }))

  it.effect("F2: layerConfig reads its configuration from environment variables", () =>
    Effect.gen(function*() {
      const service = yield* SessionStore.SessionStore.pipe(
        Effect.provide(SessionStore.layerConfig({ from: SessionConfig.fromConfig })),
        Effect.withConfigProvider(
          ConfigProvider.fromMap(new Map([["SESSION_STORE", "Memory"], ["SESSION_NAME", "__Host-env"]]))
        )
      )
      expect([service.kind, service.config.name]).toEqual(["server", "__Host-env"])
    }))

  it.effect("F2: the store takes its keys and its audience from the configuration, and reads no other audience's session", () =>
    Effect.gen(function*() {
      const storeOf = (audience: string) => {
        const environment = new Map([
          ["SESSION_STORE", "Cookie"],
          ["SESSION_SECRET", "a secret of at least 32 bytes, for this test"],
          ["SESSION_AUDIENCE", audience]
        ])
        const from = Effect.withConfigProvider(SessionConfig.fromConfig, ConfigProvider.fromMap(environment))
        return Effect.provide(SessionStore.SessionStore, SessionStore.layerConfig({ from }))
      }
      const { visit } = requestsTo(yield* storeOf("shop"))
      const { token } = yield* visit(undefined, (session) => session.insert(A, "v"))
      const tokens = [token!]
      expect(yield* (yield* storeOf("shop")).load(tokens, 0)).toMatchObject({ _tag: "Found" })
      expect(yield* (yield* storeOf("blog")).load(tokens, 0)).toMatchObject({ _tag: "Empty", reason: "Corrupt" })
    }))
})

describe("layerConfig, with options in code", () => {
  it.effect("F2: options in code complete the configuration, which takes precedence over them", () =>
    Effect.gen(function*() {
      const options = { name: "code", secure: false, maxDuplicates: 2, commitWhen: (status: number) => status < 300 }
      const counting = countingStore()
      for (const type of ["Memory", "Tower"]) {
        const from = SessionConfig.fromUnknown({
          request_context: { session_config: { name: "file" }, session_store: { type } }
        })
        for (
          const layer of [
            SessionStore.layerConfig({ from, options, server: (options) => SessionStore.layerMemory(options) }),
            SessionStore.layerConfig({
              from,
              options,
              server: Layer.succeed(SessionBackend.SessionBackend, counting.backend)
            }),
            SessionStore.layerConfigServer({ from, options, server: (options) => SessionStore.layerMemory(options) })
          ]
        ) {
          const { config } = yield* Effect.provide(SessionStore.SessionStore, layer)
          expect([config.name, config.secure, config.maxDuplicates]).toEqual(["file", false, 2])
          expect([200, 302].map(config.commitWhen)).toEqual([true, false])
        }
      }
    }))
})

describe("layerConfigServer", () => {
  const subjectBound = { max: 1, whenFull: "refuse" } as const

  /** Signs in twice: the second time the bound has to answer. */
  const signInTwice = RequestContext.bind("ada").pipe(
    Effect.as(HttpServerResponse.empty()),
    RequestContext.middleware,
    RequestId.middleware
  )

  it.effect("F2: layerConfigServer provides Sessions with Memory and with Tower, under the bound that the code sets", () =>
    Effect.gen(function*() {
      for (const type of ["Memory", "Tower"]) {
        for (
          const server of [
            (options: SessionStore.ServerOptions) => SessionStore.layerMemory(options),
            SessionStoreKeyValue.layerBackend().pipe(Layer.provide(KeyValueStore.layerMemory))
          ]
        ) {
          const layer = SessionStore.layerConfigServer({ from: block({ type }), options: { subjectBound }, server })
          yield* Effect.gen(function*() {
            const runtime = yield* Effect.runtime<SessionStore.SessionStore | Sessions.Sessions>()
            const web = HttpApp.toWebHandlerRuntime(runtime)(signInTwice)
            const statuses: Array<number> = []
            for (let i = 0; i < 2; i++) {
              const response = yield* Effect.promise(() => web(new Request("http://localhost/")))
              statuses.push(response.status)
            }
            expect(statuses).toEqual([204, 409])
            expect(yield* Sessions.list("ada")).toHaveLength(1)
          }).pipe(Effect.provide(layer))
        }
      }
    }))

  it.effect("F3: with layerConfigServer, Cookie is a mistake and so is Tower without a server, and each message says what to do", () =>
    Effect.gen(function*() {
      const cookie = block({ type: "Cookie", value: { private_key: Array.from({ length: 64 }, (_, i) => i) } })
      const [[path, message], ...rest] = mistakesOf(yield* start(SessionStore.layerConfigServer({ from: cookie })))
      expect(rest).toEqual([])
      expect(path).toBe("session_store.type")
      expect(message).toContain("must be Memory or Tower")
      expect(message).toContain("SessionStore.layerConfig")
      const [tower] = mistakesOf(yield* start(SessionStore.layerConfigServer({ from: block({ type: "Tower" }) })))
      expect(tower[0]).toBe("session_store.type")
      expect(tower[1]).toContain("SessionStore.layerConfigServer({ server:")
    }))

  it.effect("F5: with sessions disabled layerConfigServer starts", () =>
    Effect.gen(function*() {
      const from = SessionConfig.fromUnknown({ request_context: { enable: false } })
      expect(yield* start(SessionStore.layerConfigServer({ from }))).toEqual(Exit.succeed("started"))
    }))
})

describe("start-up", () => {
  it.effect("F3: every layer reports all mistakes at once", () =>
    Effect.gen(function*() {
      const wrong = { name: "a b", path: "x", refreshAfter: 2 }
      for (
        const layer of [
          SessionStore.layerMemory(wrong),
          SessionStore.layerCookie({ ...wrong, keys }),
          SessionStore.layerBackend(wrong).pipe(
            Layer.provide(Layer.succeed(SessionBackend.SessionBackend, countingStore().backend))
          )
        ]
      ) {
        expect(mistakesOf(yield* start(layer)).map(([path]) => path).sort()).toEqual(["name", "path", "refreshAfter"])
      }
    }))

  it.effect("F3: mistakes of every kind are reported together: in options, a subject's bound, the Memory store's bounds, and keys", () =>
    Effect.gen(function*() {
      // as plain JavaScript or a file may hold them, checked by nobody
      const subjectBound = { max: 0, whenFull: "boo" } as unknown as SessionBackend.SubjectBound
      const paths = (layer: Layer.Layer<SessionStore.SessionStore, unknown>) =>
        Effect.map(start(layer), (exit) => mistakesOf(exit).map(([path]) => path))
      const bounds = ["subjectBound.max", "subjectBound.whenFull"]

      expect(yield* paths(SessionStore.layerMemory({ subjectBound, expiry: -1, maxSessions: 0 })))
        .toEqual(["expiry", ...bounds, "maxSessions"])
      const wrong = { subjectBound, expiry: -1 }
      expect(
        yield* paths(
          SessionStore.layerBackendIndexed(wrong).pipe(
            Layer.provide(SessionStoreKeyValue.layerBackend()),
            Layer.provide(KeyValueStore.layerMemory)
          )
        )
      ).toEqual(["expiry", ...bounds])
      expect(yield* paths(Layer.provide(SessionStoreKeyValue.layer(wrong), KeyValueStore.layerMemory)))
        .toEqual(["expiry", ...bounds])
      for (const bound of [null, "evict-oldest", 3]) {
        const subjectBound = bound as unknown as SessionBackend.SubjectBound
        expect(yield* paths(SessionStore.layerMemory({ subjectBound }))).toEqual(["subjectBound"])
      }

      const noKeys = { name: "a b" } as SessionStore.CookieOptions
      expect(yield* paths(SessionStore.layerCookie(noKeys))).toEqual(["name", "keys"])
      for (const keys of [null, "k".repeat(64), {}, new Uint8Array(64)] as ReadonlyArray<unknown>) {
        expect(yield* paths(SessionStore.layerCookie({ keys: keys as KeyRing.KeyRing }))).toEqual(["keys"])
      }
      expect(yield* paths(SessionStore.layerCookie({ keys, path: "x", audience: "a".repeat(4_000) })))
        .toEqual(["path", "audience"])
      expect(yield* paths(SessionStore.layerCookie({ keys, audience: 5 as unknown as string }))).toEqual(["audience"])
    }))

  it.effect("F6: an expiry that looks like seconds where milliseconds are read is logged as a warning", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${message}`))
      yield* Effect.provide(
        start(SessionStore.layerMemory({ expiry: 3600 })),
        Logger.replace(Logger.defaultLogger, logger)
      )
      expect(lines).toHaveLength(1)
      expect(lines[0]).toMatch(/^WARN .*did you mean seconds/)
    }))

  describe("two stores that use the same cookie", () => {
    const memory = (options: SessionConfig.SessionConfigOptions = {}) => SessionStore.layerMemory(options)
    const cookie = (options: SessionConfig.SessionConfigOptions = {}) => SessionStore.layerCookie({ keys, ...options })
    const warned = /^WARN two session stores of this app use the cookie __Host-session\. /

    /** An app of as many parts, each of which has its store. */
    const appOf = (...stores: ReadonlyArray<Layer.Layer<SessionStore.SessionStore, unknown>>) =>
      Layer.mergeAll(
        Layer.empty,
        ...stores.map((store) => Layer.provide(Layer.effectDiscard(SessionStore.SessionStore), store))
      )

    const linesOf = (...apps: ReadonlyArray<Layer.Layer<never, unknown>>) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${message}`))
        yield* Effect.forEach(apps, (app) => Layer.build(app)).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Effect.scoped
        )
        return lines
      })

    it.effect("F6: an app whose parts have stores of their own under one name is warned once, whatever the stores are", () =>
      Effect.gen(function*() {
        const parts = [[memory(), memory()], [memory(), cookie()], [cookie(), cookie(), cookie()]]
        for (const stores of parts) expect(yield* linesOf(appOf(...stores))).toEqual([expect.stringMatching(warned)])
        const backend = Layer.provide(
          SessionStore.layerBackend(),
          Layer.succeed(SessionBackend.SessionBackend, countingStore().backend)
        )
        expect(yield* linesOf(appOf(backend, memory()))).toEqual([expect.stringMatching(warned)])
        const keyValue = Layer.provide(SessionStoreKeyValue.layer(), KeyValueStore.layerMemory)
        expect(yield* linesOf(appOf(cookie(), keyValue))).toEqual([expect.stringMatching(warned)])
      }))

    it.effect("F6: one store for all parts, stores of different cookies and stores of different apps give no warning", () =>
      Effect.gen(function*() {
        const one = memory()
        expect(yield* linesOf(appOf(one, one))).toEqual([])
        expect(yield* linesOf(appOf(memory(), memory({ name: "api" })))).toEqual([])
        expect(yield* linesOf(appOf(memory({ name: "s", path: "/a" }), memory({ name: "s", path: "/b" })))).toEqual([])
        expect(yield* linesOf(appOf(memory({ name: "s" }), memory({ name: "s", domain: "example.com" })))).toEqual([])
        expect(yield* linesOf(appOf(memory(), memory({ enable: false })))).toEqual([])
        expect(yield* linesOf(appOf(memory()), appOf(memory()))).toEqual([])
      }))

    it.effect("F6: a store that is gone when the other one starts gives no warning", () =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => void lines.push(`${message}`))
        const app = yield* Layer.makeMemoMap
        const build = Effect.scoped(
          Effect.flatMap(Effect.scope, (scope) => Layer.buildWithMemoMap(memory(), app, scope))
        )
        yield* Effect.provide(
          Effect.zipRight(build, build),
          Logger.replace(Logger.defaultLogger, logger)
        )
        expect(lines).toEqual([])
      }))

    it("F6: a router whose groups of routes have stores of their own is warned when it starts", async () => {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${message}`))
      const group = (path: `/${string}`) =>
        HttpLayerRouter.add("GET", path, HttpServerResponse.empty()).pipe(
          Layer.provide(RequestContext.routeMiddleware.combine(RequestId.routeMiddleware).layer),
          Layer.provide(memory())
        )
      const { dispose, handler } = HttpLayerRouter.toWebHandler(
        Layer.mergeAll(group("/pages"), group("/api")).pipe(
          Layer.provide(Logger.replace(Logger.defaultLogger, logger))
        ),
        { disableLogger: true }
      )
      await handler(new Request("http://localhost/pages"))
      await dispose()
      expect(lines).toEqual([expect.stringMatching(warned)])
    })
  })

  it.effect("F2: a record without any configuration gives the defaults, for every layerConfig", () =>
    Effect.gen(function*() {
      const records = [{}, { expiry: undefined }, { subjectBound: undefined, prefix: undefined }] as ReadonlyArray<
        object
      >
      for (const record of records) {
        const { config } = yield* SessionStore.SessionStore.pipe(
          Effect.provide(Layer.provide(SessionStoreKeyValue.layerConfig(record), KeyValueStore.layerMemory))
        )
        expect(config.name).toBe("__Host-session")
        const sqlite = SqliteClient.layer({ filename: ":memory:" })
        const sql = yield* SessionStore.SessionStore.pipe(
          Effect.provide(Layer.provide(SqlStore.layerConfig(record), sqlite))
        )
        expect(sql.config.name).toBe("__Host-session")
      }
      // nested ones too; a client is not looked into, a connection is not needed to start
      for (const record of [{}, { redis: {} }, { redis: { host: undefined } }] as ReadonlyArray<object>) {
        expect(Layer.isLayer(RedisStore.layerConfig(record))).toBe(true)
      }
      const { config } = yield* SessionStore.SessionStore.pipe(
        Effect.provide(Layer.provide(
          SessionStoreKeyValue.layerConfig({
            expiry: SessionConfig.duration("SESSION_EXPIRY"),
            subjectBound: { max: Config.integer("MOST"), whenFull: Config.literal("refuse", "evict-oldest")("FULL") }
          }),
          KeyValueStore.layerMemory
        )),
        Effect.withConfigProvider(
          ConfigProvider.fromMap(new Map([["SESSION_EXPIRY", "3600"], ["MOST", "2"], ["FULL", "refuse"]]))
        )
      )
      expect(config.idleMillis).toBe(3_600_000)
    }))

  it.effect("F3: wrong bounds of the Memory store or of a subject, and an audience that leaves no room, are mistakes", () =>
    Effect.gen(function*() {
      expect(mistakesOf(yield* start(SessionStore.layerMemory({ maxSessions: 0, maxBytes: 10 }))).map(([path]) => path))
        .toEqual(["maxSessions", "maxBytes"])
      expect(mistakesOf(yield* start(SessionStore.layerMemory({ subjectBound: { max: 0, whenFull: "refuse" } }))))
        .toEqual([["subjectBound.max", "must be a whole number of at least 1"]])
      expect(mistakesOf(yield* start(SessionStore.layerCookie({ keys, audience: "a".repeat(4_000) })))[0][0])
        .toBe("audience")
    }))

  describe("layerCookieConfig", () => {
    const secrets = ["a", "b", "c"].map((letter) => letter.repeat(40))
    const over = (environment: Record<string, string>) =>
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment))))

    /** Who opens what a store seals. */
    const sealedBy = (store: SessionStore.SessionStoreService) =>
      Effect.gen(function*() {
        const { token } = yield* requestsTo(store).visit(undefined, (session) => session.insert(A, "a"))
        return token!
      })
    const opens = (store: SessionStore.SessionStoreService, token: string) =>
      Effect.map(store.load([token], 0), ({ _tag }) => _tag === "Found") // when TestClock begins

    it.effect("F8: derives the key from the secret in the variable, and takes the options in code", () =>
      Effect.gen(function*() {
        const build = (layer: Layer.Layer<SessionStore.SessionStore, unknown>, environment: Record<string, string>) =>
          Effect.provide(SessionStore.SessionStore, layer).pipe(over(environment))
        const one = yield* build(SessionStore.layerCookieConfig("MY_SECRET", { name: "shop", expiry: "1 hour" }), {
          MY_SECRET: secrets[0]
        })
        expect([one.kind, one.config.name, one.config.idleMillis]).toEqual(["client", "shop", 3_600_000])
        const derived = yield* Effect.provide(
          SessionStore.SessionStore,
          SessionStore.layerCookie({ keys: yield* KeyRing.derive(secrets[0]), name: "shop" })
        )
        const other = yield* build(SessionStore.layerCookieConfig("MY_SECRET", { name: "shop" }), {
          MY_SECRET: secrets[1]
        })
        const token = yield* sealedBy(one)
        expect([yield* opens(derived, token), yield* opens(other, token)]).toEqual([true, false])
        const rotated = yield* build(
          SessionStore.layerCookieConfig("MY_SECRET", { name: "shop", previousSecrets: ["UNSET", "EMPTY", "OLD"] }),
          { MY_SECRET: secrets[1], EMPTY: "", OLD: secrets[0] }
        )
        expect(yield* opens(rotated, token)).toBe(true)
        const sealedAnew = yield* sealedBy(rotated)
        expect([yield* opens(other, sealedAnew), yield* opens(one, sealedAnew)]).toEqual([true, false])
      }))

    it.effect("F8: a secret that is missing, empty, short or a template is a mistake, together with those in the options", () =>
      Effect.gen(function*() {
        const mistakes = (environment: Record<string, string>, options?: SessionStore.CookieConfigOptions) =>
          Effect.map(start(SessionStore.layerCookieConfig("MY_SECRET", options)), mistakesOf).pipe(over(environment))
        const missing = ["MY_SECRET", expect.stringContaining("is missing: it must be a random secret")]
        expect(yield* mistakes({})).toEqual([missing])
        expect(yield* mistakes({ MY_SECRET: "" })).toEqual([missing])
        expect(yield* mistakes({ MY_SECRET: "hunter2" })).toEqual([
          ["MY_SECRET", "key material is too short: expected >= 32 bytes, got 7 bytes"]
        ])
        expect(yield* mistakes({ MY_SECRET: `<${"A_TEMPLATE_".repeat(4)}>` })).toEqual([
          ["MY_SECRET", expect.stringContaining("is a placeholder or a template")]
        ])
        const all = yield* mistakes({ OLD: "hunter2" }, {
          expiry: -1,
          sameSite: "none",
          secure: false,
          previousSecrets: ["OLD"]
        })
        expect(all.map(([path]) => path)).toEqual(["expiry", "sameSite", "MY_SECRET", "OLD"])
        expect(JSON.stringify(all)).not.toContain("hunter2")
        const names = Array.from({ length: 8 }, (_, i) => `OLD_${i}`)
        const many = Object.fromEntries(names.map((name, i) => [name, `${i}`.repeat(40)]))
        expect(yield* mistakes({ ...many, MY_SECRET: secrets[0] }, { previousSecrets: names })).toEqual([
          ["OLD_0", "is one of 9 secrets; at most 8 are accepted"]
        ])
      }))
  })

  describe("under NODE_ENV=production", () => {
    afterEach(() => {
      vi.unstubAllEnvs()
    })

    const warningsOf = (layer: Layer.Layer<SessionStore.SessionStore, unknown>) =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${message}`))
        yield* Effect.provide(start(layer), Logger.replace(Logger.defaultLogger, logger))
        return lines
      })

    it.effect("F6: a start in production warns of Memory, of a cookie that is not Secure or not HttpOnly, and of a weak key", () =>
      Effect.gen(function*() {
        vi.stubEnv("NODE_ENV", "production")
        const weak = yield* KeyRing.fromBytes(new Uint8Array(64).fill(7))
        const warnings = yield* warningsOf(SessionStore.layerMemory({ secure: false, httpOnly: false }))
        expect(warnings).toHaveLength(3)
        for (const warning of warnings) expect(warning).toMatch(/^WARN /)
        expect(yield* warningsOf(SessionStore.layerCookie({ keys: weak }))).toHaveLength(1)
        expect(yield* warningsOf(SessionStore.layerCookie({ keys }))).toEqual([])
      }))

    it.effect("F9: layerDevelopment does not start, and says so together with other mistakes", () =>
      Effect.gen(function*() {
        vi.stubEnv("NODE_ENV", "production")
        const [[path, message], ...others] = mistakesOf(yield* start(SessionStore.layerDevelopment()))
        expect([path, others]).toEqual(["NODE_ENV", []])
        expect(message).toContain("is production")
        const all = mistakesOf(yield* start(SessionStore.layerDevelopment({ expiry: -1 })))
        expect(all.map(([path]) => path)).toEqual(["expiry", "NODE_ENV"])
      }))

    it.effect("F9: layerDevelopment starts anywhere else, in memory, with a cookie for plain HTTP", () =>
      Effect.gen(function*() {
        for (const environment of [undefined, "development", "test"]) {
          vi.stubEnv("NODE_ENV", environment)
          expect(yield* warningsOf(SessionStore.layerDevelopment())).toEqual([])
          const { config, kind } = yield* Effect.provide(
            SessionStore.SessionStore,
            SessionStore.layerDevelopment({ maxSessions: 10, subjectBound: { max: 1, whenFull: "refuse" } })
          )
          expect([kind, config.secure, config.name]).toEqual(["server", false, "session"])
        }
      }))

    it.effect("F6: a start in development logs no such warning", () =>
      Effect.gen(function*() {
        vi.stubEnv("NODE_ENV", "development")
        expect(yield* warningsOf(SessionStore.layerMemory({ secure: false, httpOnly: false }))).toEqual([])
      }))
  })
})
