import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Token from "../../src/internal/csrf/token.js"

describe("a token of a form", () => {
  it("X6: tokens of one secret are all different, and all are right", () => {
    const secret = Token.secret()
    const tokens = Array.from({ length: 1_000 }, () => Token.mask(secret))
    expect(new Set(tokens).size).toBe(1_000)
    for (const token of tokens) {
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(Token.matches(token, secret)).toBe(true)
    }
  })

  it("X6: no byte of a token is the same in all tokens of a secret, so that compression learns nothing of it", () => {
    const secret = Token.secret()
    const bytes = Array.from({ length: 200 }, () => Buffer.from(Token.mask(secret), "base64url"))
    for (let index = 0; index < 32; index++) {
      expect(new Set(bytes.map((token) => token[index])).size).toBeGreaterThan(64)
    }
  })

  it("X6: a token of another secret, or one with a changed character, is wrong", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.nat({ max: 41 }),
      FastCheck.constantFrom(..."AQgw-_09az"),
      (index, character) => {
        const secret = Token.secret()
        const token = Token.mask(secret)
        const changed = token.slice(0, index) + character + token.slice(index + 1)
        expect(Token.matches(changed, secret)).toBe(changed === token)
        expect(Token.matches(token, Token.secret())).toBe(false)
      }
    ))
  })

  it("X6: a text that is not a token is wrong, whatever it is, and nothing is thrown", () => {
    const secret = Token.secret()
    FastCheck.assert(FastCheck.property(
      FastCheck.oneof(
        FastCheck.string(),
        FastCheck.string({ unit: "binary", minLength: 43, maxLength: 43 }),
        FastCheck.string({ minLength: 43, maxLength: 43 })
      ),
      (text) => {
        expect(Token.matches(text, secret)).toBe(false)
        expect(Token.matches(Token.mask(secret), text)).toBe(false)
      }
    ))
    expect(Token.matches("", "")).toBe(false)
    expect(Token.matches("A".repeat(43), "")).toBe(false)
  })
})
