import type { SqlClient } from "@effect/sql"
import type { Effect, Layer } from "effect"
import type { KeyRing, RequestContext, SessionError, Sessions } from "effect-session"
import { Revocation, SessionStore } from "effect-session"
import * as RevocationRedis from "effect-session/Revocation/Redis"
import * as RevocationSql from "effect-session/Revocation/Sql"
import { describe, expect, test } from "tstyche"

declare const keys: KeyRing.KeyRing

type Services<L> = L extends Layer.Layer<infer Out, infer _E, infer _R> ? Out : never
type Needs<T> = T extends Effect.Effect<infer _A, infer _E, infer R> ? R : never

describe("cookie sessions that the server can end", () => {
  test("V1: the layer needs a store of revocations, and provides Sessions without the list", () => {
    const layer = SessionStore.layerCookieRevocable({ keys })
    expect(layer).type.toBe<
      Layer.Layer<SessionStore.SessionStore | Sessions.Sessions, SessionError.SessionConfigError, Revocation.Revocation>
    >()
    expect(SessionStore.layerCookieRevocableConfig("SECRET")).type.toBe<typeof layer>()
  })

  test("V1: bind, revokeAll and revokeOthers need no more than that; list and revoke do", () => {
    type Provided = Services<ReturnType<typeof SessionStore.layerCookieRevocable>> | RequestContext.RequestContext
    type Bind = Needs<ReturnType<typeof RequestContext.bind>>
    type RevokeAll = Needs<ReturnType<typeof Sessions.revokeAll>>
    type RevokeOthers = Needs<ReturnType<typeof Sessions.revokeOthers>>
    type List = Needs<ReturnType<typeof Sessions.list>>
    type Revoke = Needs<ReturnType<typeof Sessions.revoke>>
    expect<Exclude<Bind | RevokeAll | RevokeOthers, Provided>>().type.toBe<never>()
    expect<Exclude<List, Provided>>().type.toBe<Sessions.SessionList>()
    expect<Exclude<Revoke, Provided>>().type.toBe<Sessions.SessionList>()
  })

  test("V1: with the cookie store alone none of it compiles", () => {
    type Plain = Services<ReturnType<typeof SessionStore.layerCookie>> | RequestContext.RequestContext
    expect<Exclude<Needs<ReturnType<typeof RequestContext.bind>>, Plain>>().type.toBe<Sessions.Sessions>()
    expect<Exclude<Needs<ReturnType<typeof Sessions.revokeAll>>, Plain>>().type.toBe<Sessions.Sessions>()
  })

  test("V6: each store of revocations is a layer of one tag", () => {
    expect(Revocation.layerMemory()).type.toBe<Layer.Layer<Revocation.Revocation, SessionError.SessionConfigError>>()
    expect(RevocationRedis.layer()).type.toBe<Layer.Layer<Revocation.Revocation, SessionError.SessionConfigError>>()
    expect(RevocationSql.layer()).type.toBe<
      Layer.Layer<Revocation.Revocation, SessionError.SessionConfigError, SqlClient.SqlClient>
    >()
  })
})
