import { HttpRouter, HttpServerResponse } from "@effect/platform"
import * as Old from "@effect/schema/Schema"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { KeyRing, RequestContext, SessionKey, SessionStore } from "effect-session"
import { fromLegacy } from "effect-session/LegacySchema"
import { cookieOf } from "./support/counting.js"
import { serve } from "./support/server.js"

class Person extends Old.Class<Person>("Person")({
  name: Old.NonEmptyString,
  born: Old.Date,
  nickname: Old.Option(Old.String),
  age: Old.Number.pipe(Old.int(), Old.between(0, 150))
}) {}

const Legacy = SessionKey.make("person", fromLegacy(Person))
const ada = new Person({
  name: "Ada",
  born: new Date("1815-12-10T00:00:00.000Z"),
  nickname: Option.some("countess"),
  age: 36
})

describe("LegacySchema", () => {
  it("C8: an @effect/schema schema with a Date, an Option, a class and a refinement decodes and encodes as before", () => {
    const schema = fromLegacy(Person)
    const encoded = Schema.encodeSync(schema)(ada)
    expect(encoded).toEqual(Old.encodeSync(Person)(ada))
    const decoded = Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(encoded)))
    expect(decoded).toBeInstanceOf(Person)
    expect(decoded).toEqual(ada)
  })

  it("C2: a value that the @effect/schema schema refuses is refused, with its path", async () => {
    const error = await Effect.runPromise(
      Effect.flip(Legacy.read(JSON.stringify({ ...Old.encodeSync(Person)(ada), age: 200 })))
    )
    expect([error._tag, error.key, error.direction, error.path]).toEqual([
      "SessionSchemaError",
      "person",
      "decode",
      "age"
    ])
    expect(error.message).not.toContain("200")
  })

  for (
    const [kind, layer] of Object.entries({
      server: SessionStore.layerMemory({ secure: false }),
      client: SessionStore.layerCookie({ secure: false, keys: Effect.runSync(KeyRing.generate) })
    })
  ) {
    it(`C8: a value of an @effect/schema schema can be inserted into a session and read again (${kind})`, async () => {
      const { request } = serve(
        HttpRouter.empty.pipe(
          HttpRouter.post("/", Effect.as(RequestContext.insert(Legacy, ada), HttpServerResponse.text("in"))),
          HttpRouter.get(
            "/",
            Effect.map(
              RequestContext.get(Legacy),
              (person) =>
                HttpServerResponse.text(
                  String(Option.isSome(person) && person.value instanceof Person && person.value.born.getFullYear())
                )
            )
          )
        ),
        layer
      )
      const cookie = cookieOf(await request("/", { method: "POST" }))
      expect(await (await request("/", { cookie })).text()).toBe("1815")
    })
  }
})
