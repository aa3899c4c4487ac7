import type { HttpServerRequest } from "@effect/platform"
import { Context, type Effect, Schema } from "effect"
import { Flash, type RequestContext, type SessionError } from "effect-session"
import { describe, expect, test } from "tstyche"
import type { SchemaError } from "../../src/internal/edition/schema.js"

type Read = SessionError.ReadError
type Change = Exclude<SessionError.WriteError, SessionError.SessionEnded>

class Clock extends Context.Tag("Clock")<Clock, { readonly now: number }>() {}

const Notice = Flash.make("notice", Schema.Struct({ text: Schema.String, at: Schema.Date }))
declare const InClock: Schema.Schema<Date, string, Clock>

describe("Flash", () => {
  test("L1: messages are typed by their schema", () => {
    interface Message {
      readonly text: string
      readonly at: Date
    }
    expect(Flash.take(Notice)).type.toBe<Effect.Effect<ReadonlyArray<Message>, Change, RequestContext.RequestContext>>()
    expect(Flash.peek(Notice)).type.toBe<Effect.Effect<ReadonlyArray<Message>, Read, RequestContext.RequestContext>>()
    expect(Flash.add(Notice, { text: "saved", at: new Date() })).type.toBe<
      Effect.Effect<void, Change, RequestContext.RequestContext>
    >()
    type Added = Parameters<typeof Flash.add<Message, { readonly text: string; readonly at: string }, never>>[1]
    expect<Added>().type.toBe<Message>()
    expect(Flash.take(Notice)).type.not.toBeAssignableTo<
      Effect.Effect<unknown, unknown, HttpServerRequest.HttpServerRequest>
    >()
  })

  test("L1: what the schema needs, the operations need", () => {
    const Late = Flash.make("late", InClock)
    expect(Flash.take(Late)).type.toBe<
      Effect.Effect<ReadonlyArray<Date>, Change, RequestContext.RequestContext | Clock>
    >()
  })

  test("L6: a form takes its input and its errors as records, as pairs, and as the error of a schema", () => {
    const Form = Flash.form("form")
    interface Records {
      readonly input: { readonly a: "1"; readonly b: ["2", "3"] }
      readonly errors: { readonly a: "wrong" }
    }
    interface Pairs {
      readonly input: ReadonlyArray<readonly [string, string]>
      readonly errors: SchemaError
    }
    expect<Records>().type.toBeAssignableTo<Flash.Failure>()
    expect<Pairs>().type.toBeAssignableTo<Flash.Failure>()
    expect<{ readonly input: { readonly a: 1 }; readonly errors: Records["errors"] }>().type.not.toBeAssignableTo<
      Flash.Failure
    >()
    expect(Flash.failForm(Form, { input: {}, errors: {} })).type.toBe<
      Effect.Effect<void, Change, RequestContext.RequestContext>
    >()
    expect(Flash.refill(Form)).type.toBe<Effect.Effect<Flash.Refilled, Change, RequestContext.RequestContext>>()
  })
})
