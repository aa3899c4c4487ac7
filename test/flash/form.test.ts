import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Schema } from "effect"
import * as FastCheck from "effect/FastCheck"
import type { SchemaError } from "../../src/internal/edition/schema.js"
import { errorsOf, Failed, inputOf } from "../../src/internal/flash/form.js"
import { messages } from "../support/messages.js"

const Address = Schema.Struct({ street: Schema.NonEmptyString })

const Fields = Schema.Struct({
  email: Schema.String.pipe(Schema.pattern(/@/, { message: () => "This is not an e-mail address." })),
  password: Schema.Trim.pipe(Schema.minLength(12)),
  age: Schema.NumberFromString.pipe(Schema.int()),
  address: Address,
  repeated: Schema.String
}).pipe(Schema.filter(({ password, repeated }) => password === repeated || "The passwords differ."))

const Whole = Schema.Struct({ password: Schema.String }).pipe(Schema.filter(({ password }) => password === "right"))

const errorOf = <A, I>(schema: Schema.Schema<A, I>, input: unknown): SchemaError =>
  Either.getOrThrowWith(
    Either.flip(Schema.decodeUnknownEither(schema, { errors: "all" })(input)),
    () => new Error("it decodes")
  )

describe("a form that failed", () => {
  it("L6: has the errors of all fields by their paths, in the schema's own words where it has some", () => {
    const errors = errorsOf(errorOf(Fields, { email: "ada", password: "short", age: "1.5", address: { street: "" } }))
    expect(Object.fromEntries(errors)).toEqual({
      email: "This is not an e-mail address.",
      password: messages.tooShort(12),
      age: messages.notInteger,
      "address.street": messages.empty,
      repeated: messages.missing
    })
    const passwords = { password: "correct horse battery", repeated: "something else" }
    const whole = errorOf(Fields, { email: "a@b", age: "1", address: { street: "x" }, ...passwords })
    expect(errorsOf(whole)).toEqual([["", "The passwords differ."]])
  })

  it("L6: has no error that repeats the input, whatever it is and wherever it failed", () => {
    FastCheck.assert(FastCheck.property(FastCheck.string({ minLength: 4 }), (text) => {
      const secret = `${text}-secret-${text}`
      for (
        const errors of [
          errorsOf(errorOf(Whole, { password: secret })),
          errorsOf(errorOf(Whole, secret)),
          errorsOf(errorOf(Schema.Struct({ password: Schema.Int }), { password: secret })),
          errorsOf(errorOf(Schema.Struct({ password: Schema.Trim.pipe(Schema.maxLength(2)) }), { password: secret })),
          errorsOf(errorOf(Schema.Struct({ password: Schema.Literal("a", "b") }), { password: secret }))
        ]
      ) {
        expect(errors.length).toBeGreaterThan(0)
        expect(JSON.stringify(errors)).not.toContain("-secret-")
      }
    }))
  })

  it("L6: keeps every field but the secret ones, whatever their names", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.array(
        FastCheck.tuple(FastCheck.oneof(FastCheck.string(), FastCheck.constant("__proto__")), FastCheck.string())
      ),
      FastCheck.array(FastCheck.string()),
      (pairs, secrets) => {
        const kept = inputOf(pairs, new Set(secrets))
        expect(kept).toEqual(pairs.filter(([name]) => !secrets.includes(name)))
        const failed = { input: kept, errors: [] }
        const text = JSON.stringify(Effect.runSync(Schema.encode(Failed)(failed)))
        expect(Effect.runSync(Schema.decodeUnknown(Failed)(JSON.parse(text)))).toEqual(failed)
      }
    ))
  })
})
