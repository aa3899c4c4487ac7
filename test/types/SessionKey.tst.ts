import type { SessionSchemaError } from "effect-session/SessionError"
import * as SessionKey from "effect-session/SessionKey"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe, expect, test } from "tstyche"

class Currency extends Context.Tag("Currency")<Currency, string>() {}
class Region extends Context.Tag("Region")<Region, string>() {}

/** A schema whose decoding and encoding need a service. */
const needing = <I, S>(tag: Context.Tag<I, S>) =>
  Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text) => Effect.as(tag, Number(text)),
    encode: (number) => Effect.as(tag, String(number))
  })

describe("SessionKey.make", () => {
  test("A, I and R are the schema's", () => {
    expect(SessionKey.make("alan", Schema.String)).type.toBe<SessionKey.SessionKey<string, string, never>>()
    expect(SessionKey.make("since", Schema.Date)).type.toBe<SessionKey.SessionKey<Date, string, never>>()
    expect(SessionKey.make("price", needing(Currency))).type.toBe<SessionKey.SessionKey<number, string, Currency>>()
    expect(SessionKey.make("tags", Schema.Array(Schema.NumberFromString)))
      .type.toBe<SessionKey.SessionKey<ReadonlyArray<number>, ReadonlyArray<string>, never>>()
  })

  test("only a schema is a schema, only text a name", () => {
    expect(SessionKey.make).type.not.toBeCallableWith("alan", String)
    expect(SessionKey.make).type.not.toBeCallableWith(1, Schema.String)
    expect(SessionKey.make).type.not.toBeCallableWith(Symbol.iterator, Schema.String)
  })

  test("whenNewer is one of two words", () => {
    expect(SessionKey.make).type.toBeCallableWith("alan", Schema.String, { whenNewer: "absent" })
    expect(SessionKey.make).type.not.toBeCallableWith("alan", Schema.String, { whenNewer: "ignore" })
  })
})

describe("SessionKey.previous", () => {
  const V1 = Schema.Array(Schema.String)
  const V2 = Schema.Array(Schema.Struct({ sku: Schema.String }))
  const V3 = Schema.Struct({ items: V2 })

  test("migrate sees the old schema's type and answers the next one's", () => {
    expect(SessionKey.previous(V1, (skus) => {
      expect(skus).type.toBe<ReadonlyArray<string>>()
      return skus.map((sku) => ({ sku }))
    })).type.toBe<SessionKey.Previous<Array<{ sku: string }>, never>>()
  })

  test("a chain ends in the key's own type", () => {
    expect(SessionKey.make("cart", V3, {
      from: SessionKey.previous(V2, (items) => ({ items }), {
        from: SessionKey.previous(V1, (skus) => skus.map((sku) => ({ sku })))
      })
    })).type.toBe<SessionKey.SessionKey<typeof V3.Type, typeof V3.Encoded, never>>()
  })

  test("a step that answers another type does not compile", () => {
    expect(SessionKey.make).type.not.toBeCallableWith("cart", V2, { from: SessionKey.previous(V1, (skus) => skus) })
    expect(SessionKey.previous).type.not.toBeCallableWith(
      V2,
      (items: typeof V2.Type) => ({ items }),
      { from: SessionKey.previous(V1, (skus) => skus.length) }
    )
  })

  test("what any version needs, the key needs", () => {
    const old = SessionKey.previous(needing(Region), String)
    expect(old).type.toBe<SessionKey.Previous<string, Region>>()
    expect(SessionKey.make("price", Schema.String, { from: old }))
      .type.toBe<SessionKey.SessionKey<string, string, Region>>()
    expect(SessionKey.make("price", needing(Currency), { from: SessionKey.previous(needing(Region), (n) => n) }))
      .type.toBe<SessionKey.SessionKey<number, string, Currency | Region>>()
  })
})

describe("SessionKey", () => {
  test("reading and writing fail with one error, and need what the schema needs", () => {
    const price = SessionKey.make("price", needing(Currency))
    expect(price.write(1)).type.toBe<Effect.Effect<string, SessionSchemaError, Currency>>()
    expect(price.write).type.not.toBeCallableWith("1")
  })
})
