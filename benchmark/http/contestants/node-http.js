/**
 * Plain node:http: the bare server, the ideal (a sealed cookie written by hand that checks only what it must), and two
 * libraries that need no framework.
 */
import { getIronSession } from "iron-session"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { createServer } from "node:http"
import { createCookieSessionStorage } from "react-router"
import { cookieLifeSeconds, secret } from "../settings.js"

const serve = (listener) => createServer(listener)

const reply = (response, count) => {
  const text = String(count)
  response.setHeader("content-type", "text/plain; charset=utf-8")
  response.setHeader("content-length", text.length)
  response.end(text)
}

const failed = (response) => (error) => {
  process.stderr.write(`${error.stack}\n`)
  response.statusCode = 500
  response.end()
}

const bare = () => {
  let count = 0
  return serve((_request, response) => reply(response, ++count))
}

const key = Buffer.from(secret.padEnd(32).slice(0, 32))
const additionalData = Buffer.from("session")

const seal = (text) => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", key, nonce)
  cipher.setAAD(additionalData)
  const body = cipher.update(text, "utf8")
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64")
}

const open = (sealed) => {
  const bytes = Buffer.from(sealed, "base64")
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

const readCookie = (header) => {
  if (header === undefined) return undefined
  const at = header.startsWith("session=") ? 0 : header.indexOf("; session=") + 2
  if (at === 1) return undefined
  const end = header.indexOf(";", at)
  return header.slice(at + 8, end === -1 ? header.length : end)
}

const ideal = () =>
  serve((request, response) => {
    const sealed = readCookie(request.headers.cookie)
    const text = sealed === undefined ? undefined : open(sealed)
    const session = text === undefined ? {} : JSON.parse(text)
    if (!(session.expires > Date.now())) session.count = 0
    session.count++
    session.expires = Date.now() + cookieLifeSeconds * 1000
    response.setHeader(
      "set-cookie",
      `session=${seal(JSON.stringify(session))}; Max-Age=${cookieLifeSeconds}; Path=/; HttpOnly; SameSite=Lax`
    )
    reply(response, session.count)
  })

const ironOptions = {
  password: secret,
  cookieName: "session",
  ttl: cookieLifeSeconds,
  cookieOptions: { secure: false, httpOnly: true, sameSite: "lax", path: "/" }
}

const ironSession = () => {
  const handle = async (request, response) => {
    const session = await getIronSession(request, response, ironOptions)
    session.count = (session.count ?? 0) + 1
    await session.save()
    reply(response, session.count)
  }
  return serve((request, response) => {
    handle(request, response).catch(failed(response))
  })
}

const reactRouter = () => {
  const { commitSession, getSession } = createCookieSessionStorage({
    cookie: {
      name: "session",
      secrets: [secret],
      maxAge: cookieLifeSeconds,
      httpOnly: true,
      sameSite: "lax",
      path: "/",
      secure: false
    }
  })
  const handle = async (request, response) => {
    const session = await getSession(request.headers.cookie)
    const count = (session.get("count") ?? 0) + 1
    session.set("count", count)
    response.setHeader("set-cookie", await commitSession(session))
    reply(response, count)
  }
  return serve((request, response) => {
    handle(request, response).catch(failed(response))
  })
}

export const variants = { bare, ideal, ironSession, reactRouter }
