import { assert, describe, it } from "@effect/vitest"
import * as KeyRing from "effect-session/KeyRing"
import * as PrivateCookie from "effect-session/PrivateCookie"
import * as SessionConfig from "effect-session/SessionConfig"
import { SessionConfigError } from "effect-session/SessionError"
import * as SessionStore from "effect-session/SessionStore"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import { opening } from "../../src/internal/cookie/keyMaterial.js"
import { opensWhat, pathsOf, refusal, sealsLike, withCookie, withEnvironment } from "./given.js"

const newSecret = () => randomBytes(32).toString("hex")

const value = "request_context.session_store.value"

/** The steps of a rotation as a file declares them. */
const steps = (old: string, next: string) => [
  { secret: old },
  { secret: old, next_secret: next },
  { secret: next, previous_secrets: [old] },
  { secret: next }
]

const endOfDay = Date.UTC(2030, 0, 1)

/** How many keys of the ring open at an instant. */
const openAt = (file: SessionConfig.FileConfig, now: number) =>
  file.store.type === "Cookie" ? opening(file.store.keys, now).length : 0

const storeOf = (layer: Layer.Layer<SessionStore.SessionStore, SessionConfigError>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, SessionStore.SessionStore))

const sealIn = (store: SessionStore.SessionStoreService, now: number) =>
  Effect.map(
    store.save({
      base: undefined,
      patch: {
        clear: false,
        set: new Map([["user", "\"ada\""]]),
        remove: new Set(),
        expiry: undefined,
        maxBytes: 4096
      },
      renew: false,
      ifVersion: undefined,
      owner: undefined
    }, now),
    (saved) => saved._tag === "Saved" ? saved.token : ""
  )

const reasonOf = (store: SessionStore.SessionStoreService, token: string, now: number) =>
  Effect.map(store.load([token], now), (loaded) => loaded._tag === "Found" ? "Found" : loaded.reason)

describe("replacing a key", () => {
  it.effect("K8: in a rolling deploy of each step, every instance opens what every other instance seals", () =>
    Effect.gen(function*() {
      const [old, next] = [newSecret(), newSecret()]
      const files = yield* Effect.forEach(steps(old, next), (step) => SessionConfig.fromUnknown(withCookie(step)))
      const rings = files.map(({ store }) => store.type === "Cookie" ? store.keys : undefined)
      const sealing = [old, old, next, next]
      for (const [i, file] of files.entries()) {
        assert.isTrue(yield* sealsLike(file, yield* KeyRing.derive(sealing[i])), `step ${i}`)
        if (i === 0) continue
        // Old and new instances run side by side. What was sealed before the last key is dropped has ended by then.
        assert.isTrue(yield* opensWhat(files[i - 1], rings[i]!), `step ${i - 1} opens what step ${i} seals`)
        if (i < 3) assert.isTrue(yield* opensWhat(file, rings[i - 1]!), `step ${i} opens what step ${i - 1} seals`)
      }
      // Without the first step, an instance meets a seal that it cannot open.
      assert.isFalse(yield* opensWhat(files[0], rings[2]!))
    }))

  it.effect("K8: the next key comes from a file, from the environment and from code, and only opens", () =>
    Effect.gen(function*() {
      const [current, next] = [newSecret(), newSecret()]
      const [currentRing, nextRing] = [yield* KeyRing.derive(current), yield* KeyRing.derive(next)]
      const key = randomBytes(48).toString("base64")
      const given = [
        [yield* SessionConfig.fromUnknown(withCookie({ secret: current, next_secret: next })), nextRing],
        [
          yield* SessionConfig.fromUnknown(withCookie({ secret: current, next_key: key })),
          yield* KeyRing.fromUtf8(key)
        ],
        [
          yield* withEnvironment({ SESSION_STORE: "Cookie", SESSION_SECRET: current, SESSION_NEXT_SECRET: next }),
          nextRing
        ],
        [
          yield* withEnvironment({ SESSION_STORE: "Cookie", SESSION_SECRET: current, SESSION_NEXT_KEY: key }),
          yield* KeyRing.fromUtf8(key)
        ]
      ] as const
      for (const [file, opened] of given) {
        assert.isTrue(yield* sealsLike(file, currentRing))
        assert.isTrue(yield* opensWhat(file, opened))
      }
      const ring = KeyRing.withNext(currentRing, nextRing)
      assert.isTrue(Option.isSome(PrivateCookie.open(ring, "n", PrivateCookie.unsafeSeal(nextRing, "n", "v"))))
      assert.isTrue(Option.isSome(PrivateCookie.open(currentRing, "n", PrivateCookie.unsafeSeal(ring, "n", "v"))))

      const both = yield* refusal(
        SessionConfig.fromUnknown(withCookie({ secret: current, next_secret: next, next_key: key }))
      )
      assert.deepStrictEqual(pathsOf(both), [`${value}.next_key`])
      const alone = yield* refusal(SessionConfig.fromUnknown(withCookie({ next_secret: next })))
      assert.deepStrictEqual(pathsOf(alone), [`${value}.private_key`])
      const short = yield* refusal(
        withEnvironment({ SESSION_STORE: "Cookie", SESSION_SECRET: current, SESSION_NEXT_SECRET: "x" })
      )
      assert.deepStrictEqual(pathsOf(short), ["SESSION_NEXT_SECRET"])
      const previous_secrets = Array.from({ length: 7 }, newSecret)
      const many = yield* refusal(
        SessionConfig.fromUnknown(withCookie({ secret: current, next_secret: next, previous_secrets }))
      )
      assert.include(many.message, "9 keys")
    }))

  it.scoped("K8: layerCookieConfig opens with the variable of the next secret, and does without one that is not set", () =>
    Effect.gen(function*() {
      const [current, next] = [newSecret(), newSecret()]
      const build = (variables: Record<string, string>, name = "CURRENT") =>
        storeOf(SessionStore.layerCookieConfig(name, { nextSecret: "NEXT" })).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
        )
      const promoted = yield* build({ NEXT: next }, "NEXT")
      const token = yield* sealIn(promoted, 1000)
      const withNext = yield* build({ CURRENT: current, NEXT: next })
      assert.strictEqual(yield* reasonOf(withNext, token, 1000), "Found")
      const without = yield* build({ CURRENT: current })
      assert.strictEqual(yield* reasonOf(without, token, 1000), "NotAuthentic")
      assert.strictEqual(yield* reasonOf(without, yield* sealIn(withNext, 1000), 1000), "Found")
    }))
})

describe("the last day of a key", () => {
  it.scoped("K9: a key opens until its last day is over in UTC, and nothing from then on", () =>
    Effect.gen(function*() {
      const [current, old] = [yield* KeyRing.generate, yield* KeyRing.generate]
      const keys = KeyRing.withPrevious(current, yield* KeyRing.withLastDay(old, "2029-12-31"))
      const options = { idle: "300 days", absoluteExpiry: "400 days" } as const
      const store = yield* storeOf(SessionStore.layerCookie({ keys, ...options }))
      const before = yield* storeOf(SessionStore.layerCookie({ keys: old, ...options }))
      const token = yield* sealIn(before, endOfDay - 1000)
      assert.strictEqual(yield* reasonOf(store, token, endOfDay - 1), "Found")
      assert.strictEqual(yield* reasonOf(store, token, endOfDay), "NotAuthentic")
      // A clock that is set back opens it again; what the current key has sealed is not concerned.
      assert.strictEqual(yield* reasonOf(store, token, endOfDay - 1), "Found")
      const own = yield* sealIn(store, endOfDay)
      assert.strictEqual(yield* reasonOf(store, own, endOfDay + 1000), "Found")
    }))

  it.effect("K9: a private cookie that was sealed with the key does not open after its last day either", () =>
    Effect.gen(function*() {
      const ring = yield* KeyRing.generate
      const sealed = PrivateCookie.unsafeSeal(ring, "n", "v")
      const days = { "2020-02-29": false, "2999-01-01": true }
      for (const [day, opens] of Object.entries(days)) {
        const ending = yield* KeyRing.withLastDay(ring, day)
        assert.strictEqual(Option.isSome(PrivateCookie.open(ending, "n", sealed)), opens)
      }
      // The earlier of two last days counts.
      const twice = yield* Effect.flatMap(KeyRing.withLastDay(ring, "2020-01-01"), KeyRing.withLastDay("2999-01-01"))
      assert.isTrue(Option.isNone(PrivateCookie.open(twice, "n", sealed)))
    }))

  it.effect("K9: a file, the environment and the variables of layerCookieConfig give an old key its last day", () =>
    Effect.gen(function*() {
      const [current, old, key] = [newSecret(), newSecret(), randomBytes(48).toString("base64")]
      const days = [{ last_day: "2029-12-31" }, { last_day: new Date("2029-12-31") }]
      for (const day of days) {
        const file = yield* SessionConfig.fromUnknown(withCookie({
          secret: current,
          previous_secrets: [{ secret: old, ...day }],
          previous_keys: [{ private_key: key, ...day }, randomBytes(48).toString("base64")]
        }))
        assert.deepStrictEqual([openAt(file, endOfDay - 1), openAt(file, endOfDay)], [4, 2])
      }
      const yaml = yield* SessionConfig.fromYaml(
        `request_context:\n  session_store:\n    type: Cookie\n    value:\n      secret: ${current}\n`
          + `      previous_secrets:\n        - secret: ${old}\n          last_day: 2029-12-31\n`
      )
      assert.deepStrictEqual([openAt(yaml, endOfDay - 1), openAt(yaml, endOfDay)], [2, 1])
      const environment = yield* withEnvironment({
        SESSION_STORE: "Cookie",
        SESSION_SECRET: current,
        SESSION_PREVIOUS_SECRET_3: old,
        SESSION_PREVIOUS_SECRET_3_LAST_DAY: "2029-12-31",
        SESSION_PREVIOUS_KEY_1: key,
        SESSION_PREVIOUS_KEY_1_LAST_DAY: "2029-12-31"
      })
      assert.deepStrictEqual([openAt(environment, endOfDay - 1), openAt(environment, endOfDay)], [3, 1])
    }))

  it.scoped("K9: a key that seals and has a last day is a mistake at start-up, wherever it is declared", () =>
    Effect.gen(function*() {
      const [current, old] = [newSecret(), newSecret()]
      const wrong = [
        [{ secret: current, last_day: "2029-12-31" }, ["last_day"]],
        [{ secret: { secret: current, last_day: "2029-12-31" } }, ["secret.last_day"]],
        [{ private_key: { private_key: current, last_day: "2029-12-31" } }, ["private_key.last_day"]],
        [{ secret: current, next_secret: { secret: old, last_day: "2029-12-31" } }, ["next_secret.last_day"]]
      ] as const
      for (const [block, paths] of wrong) {
        const error = yield* refusal(SessionConfig.fromUnknown(withCookie(block)))
        assert.deepStrictEqual(pathsOf(error), paths.map((path) => `${value}.${path}`))
        assert.include(error.message, "previous_secrets")
        assert.notInclude(error.message, current)
      }
      const variables = { SESSION_STORE: "Cookie", SESSION_SECRET: current, SESSION_NEXT_SECRET: old }
      for (const name of ["SESSION_SECRET_LAST_DAY", "SESSION_NEXT_SECRET_LAST_DAY"]) {
        const error = yield* refusal(withEnvironment({ ...variables, [name]: "2029-12-31" }))
        assert.deepStrictEqual(pathsOf(error), [name])
        assert.include(error.message, "SESSION_PREVIOUS_SECRET_1_LAST_DAY")
      }
      const keys = yield* Effect.flatMap(KeyRing.generate, KeyRing.withLastDay("2029-12-31"))
      const inCode = yield* Effect.flip(storeOf(SessionStore.layerCookie({ keys })))
      assert.deepStrictEqual(pathsOf(inCode), ["keys"])
      assert.include(inCode.message, "KeyRing.withPrevious")
      const fromVariables = yield* Effect.flip(
        storeOf(SessionStore.layerCookieConfig("A", { nextSecret: "B", previousSecrets: ["C", "D"] })).pipe(
          Effect.withConfigProvider(ConfigProvider.fromMap(
            new Map([
              ["A", current],
              ["A_LAST_DAY", "2029-12-31"],
              ["B_LAST_DAY", "2029-12-31"],
              ["C", old],
              ["C_LAST_DAY", "never"],
              ["D_LAST_DAY", "2029-12-31"]
            ])
          ))
        )
      )
      assert.deepStrictEqual(pathsOf(fromVariables), ["A_LAST_DAY", "B_LAST_DAY", "C_LAST_DAY", "D_LAST_DAY"])
    }))

  it.effect("K9: what is no day of the calendar, or the last day of no key, is a mistake with its path", () =>
    Effect.gen(function*() {
      const [current, old] = [newSecret(), newSecret()]
      for (const day of ["2029-02-29", "2029-2-3", "31.12.2029", "2029-12-31T00:00:00Z", "", 20291231, null, true]) {
        const block = withCookie({ secret: current, previous_secrets: [{ secret: old, last_day: day }] })
        const error = yield* refusal(SessionConfig.fromUnknown(block))
        assert.deepStrictEqual(pathsOf(error), [`${value}.previous_secrets[0].last_day`], String(day))
        assert.include(error.message, "2026-12-31")
      }
      const ring = yield* KeyRing.generate
      const inCode = yield* Effect.flip(KeyRing.withLastDay(ring, "tomorrow"))
      assert.instanceOf(inCode, SessionConfigError)
      const noKey = yield* refusal(
        SessionConfig.fromUnknown(withCookie({ secret: current, previous_secrets: [{ last_day: "2029-12-31" }] }))
      )
      assert.deepStrictEqual(pathsOf(noKey), [`${value}.previous_secrets[0].last_day`])
      const more = yield* refusal(
        SessionConfig.fromUnknown(
          withCookie({ secret: current, previous_secrets: [{ secret: old, until: "2029-12-31" }] })
        )
      )
      assert.deepStrictEqual(pathsOf(more), [`${value}.previous_secrets[0]`])
      const variables = { SESSION_STORE: "Cookie", SESSION_SECRET: current }
      const unset = yield* refusal(withEnvironment({ ...variables, SESSION_PREVIOUS_SECRET_2_LAST_DAY: "2029-12-31" }))
      assert.deepStrictEqual(pathsOf(unset), ["SESSION_PREVIOUS_SECRET_2_LAST_DAY"])
      const wrong = yield* refusal(
        withEnvironment({
          ...variables,
          SESSION_PREVIOUS_SECRET_2: old,
          SESSION_PREVIOUS_SECRET_2_LAST_DAY: "31.12.2029"
        })
      )
      assert.deepStrictEqual(pathsOf(wrong), ["SESSION_PREVIOUS_SECRET_2_LAST_DAY"])
    }))
})
