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
  test("C8: a key has the types A, I and R of its schema", () => {
    expect(SessionKey.make("alan", Schema.String)).type.toBe<SessionKey.SessionKey<string, string, never>>()
    expect(SessionKey.make("age", Schema.NumberFromString)).type.toBe<SessionKey.SessionKey<number, string, never>>()
    expect(SessionKey.make("price", needing(Currency))).type.toBe<SessionKey.SessionKey<number, string, Currency>>()
    expect(SessionKey.make("tags", Schema.Array(Schema.NumberFromString)))
      .type.toBe<SessionKey.SessionKey<ReadonlyArray<number>, ReadonlyArray<string>, never>>()
  })

  test("C8: make accepts nothing but a schema as the schema, and nothing but text as the name", () => {
    expect(SessionKey.make).type.not.toBeCallableWith("alan", String)
    expect(SessionKey.make).type.not.toBeCallableWith(1, Schema.String)
    expect(SessionKey.make).type.not.toBeCallableWith(Symbol.iterator, Schema.String)
  })

  test("C13: a key with a default is another type of key, so that nobody takes it for one that reads as an Option", () => {
    const Visits = SessionKey.make("visits", Schema.Int).withDefault(() => 0)
    expect(Visits).type.toBe<SessionKey.SessionKey<number, number, never, number>>()
    expect(Visits).type.not.toBeAssignableTo<SessionKey.SessionKey<number>>()
    expect(SessionKey.make("visits", Schema.Int)).type.not.toBeAssignableTo<typeof Visits>()
    expect(Visits).type.toBeAssignableTo<SessionKey.SessionKey<number, number, never, unknown>>()
    expect(SessionKey.make("visits", Schema.Int)).type.toBeAssignableTo<
      SessionKey.SessionKey<number, number, never, unknown>
    >()
    const V1 = SessionKey.previous(needing(Region), String)
    expect(SessionKey.make("name", Schema.Literal("a", "b")).withDefault(() => "a")).type.toBe<
      SessionKey.SessionKey<"a" | "b", "a" | "b", never, "a" | "b">
    >()
    expect(SessionKey.make("name", Schema.String, { from: V1 }).withDefault(() => "")).type.toBe<
      SessionKey.SessionKey<string, string, Region, string>
    >()
    expect(SessionKey.make("visits", Schema.Int).withDefault).type.not.toBeCallableWith(() => "0")
    expect(SessionKey.make("visits", Schema.Int).withDefault).type.not.toBeCallableWith(0)
    expect(SessionKey.make("tags", Schema.mutable(Schema.Array(Schema.String))).withDefault(() => [])).type.toBe<
      SessionKey.SessionKey<Array<string>, Array<string>, never, Array<string>>
    >()
  })

  test("C2: whenNewer is one of two words", () => {
    expect(SessionKey.make).type.toBeCallableWith("alan", Schema.String, { whenNewer: "absent" })
    expect(SessionKey.make).type.not.toBeCallableWith("alan", Schema.String, { whenNewer: "ignore" })
  })
})

describe("SessionKey.previous", () => {
  const V1 = Schema.Array(Schema.String)
  const V2 = Schema.Array(Schema.Struct({ sku: Schema.String }))
  const V3 = Schema.Struct({ items: V2 })

  test("C8: migrate takes the old schema's type and returns the next one's", () => {
    expect(SessionKey.previous(V1, (skus) => {
      expect(skus).type.toBe<ReadonlyArray<string>>()
      return skus.map((sku) => ({ sku }))
    })).type.toBe<SessionKey.Previous<Array<{ sku: string }>, never>>()
  })

  test("C8: a chain of migrations ends in the key's own type", () => {
    expect(SessionKey.make("cart", V3, {
      from: SessionKey.previous(V2, (items) => ({ items }), {
        from: SessionKey.previous(V1, (skus) => skus.map((sku) => ({ sku })))
      })
    })).type.toBe<SessionKey.SessionKey<typeof V3.Type, typeof V3.Encoded, never>>()
  })

  test("C8: a migration that returns another type does not compile", () => {
    expect(SessionKey.make).type.not.toBeCallableWith("cart", V2, { from: SessionKey.previous(V1, (skus) => skus) })
    expect(SessionKey.previous).type.not.toBeCallableWith(
      V2,
      (items: typeof V2.Type) => ({ items }),
      { from: SessionKey.previous(V1, (skus) => skus.length) }
    )
  })

  test("C8: a key needs the services of all its versions", () => {
    const old = SessionKey.previous(needing(Region), String)
    expect(old).type.toBe<SessionKey.Previous<string, Region>>()
    expect(SessionKey.make("price", Schema.String, { from: old }))
      .type.toBe<SessionKey.SessionKey<string, string, Region>>()
    expect(SessionKey.make("price", needing(Currency), { from: SessionKey.previous(needing(Region), (n) => n) }))
      .type.toBe<SessionKey.SessionKey<number, string, Currency | Region>>()
  })
})

describe("SessionKey", () => {
  test("C1: writing fails with one error, and needs the services of the schema", () => {
    const price = SessionKey.make("price", needing(Currency))
    expect(price.write(1)).type.toBe<Effect.Effect<string, SessionSchemaError, Currency>>()
    expect(price.write).type.not.toBeCallableWith("1")
  })
})
