import { describe, expect, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import * as random from "../../src/internal/codec/random.js"
import * as Successor from "../../src/internal/server/successor.js"
import * as Token from "../../src/internal/server/token.js"

describe("the mark of a renewal", () => {
  it("I2: the old token leads to the new one, and nothing else does", () => {
    for (let i = 0; i < 200; i++) {
      const [old, next, other] = [random.token(), random.token(), random.token()]
      const id = Token.idOf(next)
      const text = Successor.leading(old, next, id)
      expect(text).toMatch(/^[\w-]{43}\.[\w-]{43}$/)
      expect(Successor.idOf(text)).toBe(id)
      expect(Successor.read(text, old)).toEqual({ id, token: next })
      for (const wrong of [other, next, "", Token.idOf(old)]) {
        expect(Successor.read(text, wrong)).toEqual({ id, token: undefined })
      }
    }
  })

  it("I2: a dump of the store has neither token in it, and cannot make the mask of one", () => {
    const [old, next] = [random.token(), random.token()]
    const id = Token.idOf(next)
    const text = Successor.leading(old, next, id)
    const [, masked] = text.split(".")
    for (const token of [old, next]) expect(text).not.toContain(token)
    // What a dump knows of the old token is its hash.
    for (const key of [Token.idOf(old), createHash("sha256").update(old).digest("hex"), id]) {
      expect(Successor.read(text, key).token).toBeUndefined()
    }
    expect(masked).not.toBe(next)
  })

  it("I2: a mark of an explicit renewal, and one that is damaged, lead nowhere", () => {
    const old = random.token()
    const id = Token.idOf(random.token())
    expect(Successor.read(id, old)).toEqual({ id, token: undefined })
    for (
      const damaged of [`${id}.`, `${id}.x`, `${id}.${"A".repeat(43)}`, `${id}.${"A".repeat(200)}`, `${id}.a.b`, "."]
    ) {
      expect(Successor.read(damaged, old).token).toBeUndefined()
    }
    expect(Successor.read("", old)).toEqual({ id: "", token: undefined })
  })
})
