import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Token from "../../src/internal/server/token.js"
import { collectLogs } from "../support/collectLogs.js"
import { A, increment } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

describe("a backend that breaks its contract", () => {
  for (
    const [name, answer] of [["at once", Effect.succeed(false)], [
      "later",
      Effect.as(Effect.yieldNow(), false)
    ]] as const
  ) {
    it.effect(`M5: a backend that reports every id as taken (${name}) counts as failed, without a loop or a hang`, () =>
      Effect.gen(function*() {
        const { counts, finish, request } = stage({}, (backend) => ({ ...backend, insert: () => answer }))
        const session = request(undefined)
        yield* session.insert(A, "a")
        const { verdict } = yield* finish(session, undefined)
        expect(verdict).toMatchObject({
          cookie: { _tag: "None" },
          failure: { operation: "insert", reason: "Unavailable" }
        })
        expect(counts.insert).toBeLessThan(10)
      }))
  }
})

describe("records that cannot be read", () => {
  for (const newerFormat of [false, true]) {
    it.effect(`S6: modify logs a ${newerFormat ? "newer" : "corrupt"} record that it finds, and starts a new session`, () =>
      Effect.gen(function*() {
        const bad = new Set<string>()
        const { begin, counts, stored, visit } = stage({}, (backend) => ({
          ...backend,
          find: (id, now) =>
            bad.has(id)
              ? Effect.succeed(Option.some({ _tag: "Corrupt" as const, newerFormat, detail: "of the test" }))
              : backend.find(id, now),
          update: (id, ...rest) =>
            bad.has(id) ? Effect.succeed({ _tag: "Missing" as const }) : backend.update(id, ...rest)
        }))
        const token = yield* begin((session) => session.insert(A, "a"))
        bad.add(Token.idOf(token))
        const logs: Array<string> = []
        const removals = counts.remove
        const visited = yield* Effect.provide(visit(token, increment), collectLogs(logs))
        expect(visited.value).toBe(1)
        expect(visited.token).not.toBe(token)
        expect(yield* stored(visited.token!)).toEqual({ count: "1" })
        expect(logs.filter((line) => line.startsWith("WARN"))).toHaveLength(1)
        expect(counts.remove - removals).toBe(newerFormat ? 0 : 1)
      }))
  }
})
