import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { A } from "../support/sessionKeys.js"
import { stage } from "../support/stage.js"

describe("tokens", () => {
  it.effect("S1: a value that is not a token in its one canonical form never reaches the backend", () =>
    Effect.gen(function*() {
      const { begin, counts, visit } = stage()
      const token = yield* begin((session) => session.insert(A, "v"))
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      const last = alphabet.indexOf(token.at(-1)!)
      const others = [
        // the same 32 bytes, with bits in the last character that belong to no byte
        ...[1, 2, 3].map((bits) => token.slice(0, -1) + alphabet[last | bits]),
        `${token}=`,
        `${token}A`,
        token.slice(0, -1),
        Buffer.from(token, "base64url").toString("base64"),
        `+${token.slice(1)}`,
        `.${token.slice(1)}`
      ]
      for (const other of others) {
        const finds = counts.find
        const { value } = yield* visit(other, (session) => session.get(A))
        expect([other, value, counts.find - finds]).toEqual([other, Option.none(), 0])
      }
      expect((yield* visit(token, (session) => session.get(A))).value).toEqual(Option.some("v"))
    }))
})
