import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Option } from "effect"
import type * as SessionBackend from "effect-session/SessionBackend"
import * as SessionConfig from "effect-session/SessionConfig"
import * as ServerStore from "../../src/internal/server/serverStore.js"
import { countingStore } from "../support/counting.js"

const now = 1_795_000_000_000
const second = 1000
const token = "A".repeat(43)

/** The warnings of a store that finds the record again and again: of 100 reads in one minute, and of the next read. */
const warningsOf = (record: SessionBackend.Renewed | SessionBackend.Corrupt) =>
  Effect.gen(function*() {
    const config = Either.getOrThrow(SessionConfig.resolve({}))
    const { backend } = countingStore()
    const store = ServerStore.make(config, { ...backend, find: () => Effect.succeed(Option.some(record)) })
    const warningAt = (at: number) =>
      Effect.map(store.load([token], at), (loaded) => loaded._tag === "Empty" ? loaded.warning : "found")
    const all = yield* Effect.forEach(Array.from({ length: 100 }, (_, i) => now + i), warningAt)
    return { logged: all.filter((warning) => warning !== undefined), next: yield* warningAt(now + 60 * second) }
  })

const expected = (text: RegExp) => ({
  logged: Array.from({ length: 10 }, () => expect.stringMatching(text)),
  next: expect.stringMatching(/\(90 more warnings of this kind have not been logged\)$/)
})

describe("a server store's warnings", () => {
  it.effect("S9: at most ten uses of an old id are logged in a minute, and the next warning says how many were left out", () =>
    Effect.gen(function*() {
      expect(yield* warningsOf({ _tag: "Renewed", successor: "its-id", renewedAt: now - 20 * second }))
        .toEqual(expected(/renewed 20 seconds ago is still in use.* its-id\.$/))
    }))

  it.effect("S6: at most ten corrupt records are logged in a minute, and the next warning says how many were left out", () =>
    Effect.gen(function*() {
      expect(yield* warningsOf({ _tag: "Corrupt", newerFormat: false, detail: "of the test" }))
        .toEqual(expected(/could not be read and was removed: of the test$/))
    }))

  it.effect("S6: at most ten records of a newer format are logged in a minute, and the next warning says how many were left out", () =>
    Effect.gen(function*() {
      expect(yield* warningsOf({ _tag: "Corrupt", newerFormat: true, detail: "of the test" }))
        .toEqual(expected(/written by a later version and is left untouched: of the test$/))
    }))
})
