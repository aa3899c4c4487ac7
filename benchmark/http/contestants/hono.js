/**
 * Hono on its Node server: bare, hono-sessions in memory.
 */
import { createAdaptorServer } from "@hono/node-server"
import { Hono } from "hono"
import { MemoryStore, sessionMiddleware } from "hono-sessions"
import { cookieLifeSeconds } from "../settings.js"

const serve = (app) => createAdaptorServer({ fetch: app.fetch })

const bare = () => {
  const app = new Hono()
  let count = 0
  app.get("/", (context) => context.text(String(++count)))
  return serve(app)
}

const memory = () => {
  const app = new Hono()
  app.use(
    "*",
    sessionMiddleware({
      store: new MemoryStore(),
      sessionCookieName: "session",
      expireAfterSeconds: cookieLifeSeconds,
      cookieOptions: { maxAge: cookieLifeSeconds, httpOnly: true, sameSite: "Lax", path: "/", secure: false }
    })
  )
  app.get("/", (context) => {
    const session = context.get("session")
    const count = (session.get("count") ?? 0) + 1
    session.set("count", count)
    return context.text(String(count))
  })
  return serve(app)
}

export const variants = { bare, memory }
