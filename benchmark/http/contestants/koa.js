/**
 * Koa: bare, koa-session (signed cookie).
 */
import Koa from "koa"
import session from "koa-session"
import { createServer } from "node:http"
import { cookieLifeSeconds, secret } from "../settings.js"

const bare = () => {
  const app = new Koa()
  let count = 0
  app.use((context) => {
    context.body = String(++count)
  })
  return createServer(app.callback())
}

const signedCookie = () => {
  const app = new Koa()
  app.keys = [secret]
  const options = {
    key: "session",
    maxAge: cookieLifeSeconds * 1000,
    httpOnly: true,
    signed: true,
    secure: false,
    sameSite: "lax"
  }
  app.use((session.createSession ?? session.default ?? session)(options, app))
  app.use((context) => {
    context.session.count = (context.session.count ?? 0) + 1
    context.body = String(context.session.count)
  })
  return createServer(app.callback())
}

export const variants = { bare, signedCookie }
