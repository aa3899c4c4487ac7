/**
 * The floors: the least that an app can write by hand to count in a session. They do less than a session library has to: no
 * limit of size, no atomic change, no typed values, no errors of a store, nothing is ever cleaned up.
 *
 * Each exists twice. `idiomatic` is what a careful developer writes with the platform's own combinators: a service for the
 * handler, the platform's parser of cookies, a pre-response handler. `least` leaves everything out that can be left out: no
 * service and no pre-response handler, the handler reads the header and sets the cookie on its own response.
 */
import { Cookies, HttpApp, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Context, Effect, Option } from "effect"
import { Redis } from "ioredis"
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from "node:crypto"
import { cookieLifeSeconds, redisUrl } from "../http/settings.js"
import { route } from "./route.js"

const attributes = { httpOnly: true, sameSite: "lax", path: "/" }

// ── the parts that both share ──

const key = randomBytes(32)
const additionalData = Buffer.from("session")

const seal = (text) => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", key, nonce)
  cipher.setAAD(additionalData)
  const body = cipher.update(text, "utf8")
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url")
}

const open = (sealed) => {
  const bytes = Buffer.from(sealed, "base64url")
  if (bytes.length < 28) return undefined
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(additionalData)
  decipher.setAuthTag(bytes.subarray(bytes.length - 16))
  try {
    return decipher.update(bytes.subarray(12, bytes.length - 16)).toString("utf8") + decipher.final("utf8")
  } catch {
    return undefined
  }
}

/** A session that has expired counts from the start. */
const opened = (sealed) => {
  const text = sealed === undefined ? undefined : open(sealed)
  const session = text === undefined ? undefined : JSON.parse(text)
  return session !== undefined && session.expires > Date.now() ? session.values : {}
}

const sealed = (values) => seal(JSON.stringify({ values, expires: Date.now() + cookieLifeSeconds * 1000 }))

const newToken = () => randomBytes(32).toString("base64url")

// ── idiomatic ──

const Floor = Context.GenericTag("benchmark/Floor")

const idHeader = "x-request-id"

/** Answers as the library's middleware does: with the request's id, and with the cookie where there is one to set. */
const answered = (response, id, cookie) => {
  const withId = HttpServerResponse.setHeader(response, idHeader, id)
  return cookie === undefined
    ? Effect.succeed(withId)
    : HttpServerResponse.setCookie(
      HttpServerResponse.setHeader(withId, "cache-control", "no-store"),
      "session",
      cookie,
      { ...attributes, maxAge: `${cookieLifeSeconds} seconds` }
    ).pipe(Effect.orDie)
}

const idiomatic = (makeSession) => (app) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const id = request.headers[idHeader] ?? randomUUID()
    const session = makeSession(request.cookies["session"])
    yield* HttpApp.appendPreResponseHandler((_request, response) => answered(response, id, session.cookie()))
    return yield* Effect.provideService(app, Floor, session)
  })

export const counting = () =>
  route(Effect.gen(function*() {
    const session = yield* Floor
    const count = Option.getOrElse(yield* session.get("count"), () => 0) + 1
    yield* session.set("count", count)
    return HttpServerResponse.text(String(count))
  }))

/** One object for a request: its values, and whether they have changed. */
const sessionOf = (values, save) => {
  let changed = false
  return {
    get: (name) => Effect.sync(() => Option.fromNullable(values[name])),
    set: (name, value) =>
      Effect.sync(() => {
        values[name] = value
        changed = true
      }),
    cookie: () => changed ? save(values) : undefined
  }
}

export const withMemory = (app) => {
  const sessions = new Map()
  return idiomatic((token) => {
    const stored = token === undefined ? undefined : sessions.get(token)
    return sessionOf(stored === undefined ? {} : JSON.parse(stored), (values) => {
      const kept = stored === undefined ? newToken() : token
      sessions.set(kept, JSON.stringify(values))
      return stored === undefined ? kept : undefined
    })
  })(app)
}

export const withCookie = (app) => idiomatic((token) => sessionOf(opened(token), sealed))(app)

// ── the least ──

/** Of a header with one cookie, or with ours among others. */
const readCookie = (header) => {
  if (header === undefined) return undefined
  const at = header.startsWith("session=") ? 0 : header.indexOf("; session=") + 2
  if (at === 1) return undefined
  const end = header.indexOf(";", at)
  return header.slice(at + 8, end === -1 ? header.length : end)
}

const cookieOf = (value) =>
  Cookies.fromReadonlyRecord({
    session: Cookies.unsafeMakeCookie("session", value, { ...attributes, maxAge: `${cookieLifeSeconds} seconds` })
  })

const least = (count) =>
  route(Effect.map(HttpServerRequest.HttpServerRequest, (request) => {
    const id = request.headers[idHeader] ?? randomUUID()
    const [text, value] = count(readCookie(request.headers.cookie))
    return HttpServerResponse.text(text, {
      headers: value === undefined ? { [idHeader]: id } : { [idHeader]: id, "cache-control": "no-store" },
      cookies: value === undefined ? Cookies.empty : cookieOf(value)
    })
  }))

export const leastMemory = () => {
  const sessions = new Map()
  return least((token) => {
    const values = token === undefined ? undefined : sessions.get(token)
    if (values === undefined) {
      const made = newToken()
      sessions.set(made, { count: 1 })
      return ["1", made]
    }
    return [String(++values.count), undefined]
  })
}

export const leastCookie = () =>
  least((token) => {
    const values = opened(token)
    values.count = (values.count ?? 0) + 1
    return [String(values.count), sealed(values)]
  })

/** A GET and a SET by hand, where the last writer wins; each is one step of the handler's fiber that waits. */
export const leastRedis = () => {
  const client = new Redis(redisUrl)
  const key = (token) => `benchmark:floor:${token}`
  const store = (token, values) =>
    Effect.promise(() => client.set(key(token), JSON.stringify(values), "EX", cookieLifeSeconds))
  return route(Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const id = request.headers[idHeader] ?? randomUUID()
    const token = readCookie(request.headers.cookie)
    if (token === undefined) {
      const made = newToken()
      return Effect.map(store(made, { count: 1 }), () =>
        HttpServerResponse.text("1", {
          headers: { [idHeader]: id, "cache-control": "no-store" },
          cookies: cookieOf(made)
        }))
    }
    return Effect.flatMap(Effect.promise(() => client.get(key(token))), (text) => {
      const values = JSON.parse(text)
      values.count++
      return Effect.map(
        store(token, values),
        () => HttpServerResponse.text(String(values.count), { headers: { [idHeader]: id } })
      )
    })
  }))
}
