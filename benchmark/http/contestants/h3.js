/**
 * h3: bare, its own useSession (iron-sealed cookie).
 */
import { H3, toNodeHandler, useSession } from "h3"
import { createServer } from "node:http"
import { cookieLifeSeconds, secret } from "../settings.js"

const serve = (app) => createServer(toNodeHandler(app))

const bare = () => {
  const app = new H3()
  let count = 0
  app.get("/", () => String(++count))
  return serve(app)
}

const sealedCookie = () => {
  const app = new H3()
  const options = {
    name: "session",
    password: secret,
    maxAge: cookieLifeSeconds,
    cookie: { httpOnly: true, sameSite: "lax", path: "/", secure: false }
  }
  app.get("/", async (event) => {
    const session = await useSession(event, options)
    const count = (session.data.count ?? 0) + 1
    await session.update({ count })
    return String(count)
  })
  return serve(app)
}

export const variants = { bare, sealedCookie }
