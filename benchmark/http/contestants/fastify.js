/**
 * Fastify: bare, @fastify/session in memory, @fastify/secure-session (libsodium, sealed cookie).
 */
import fastifyCookie from "@fastify/cookie"
import fastifySecureSession from "@fastify/secure-session"
import fastifySession from "@fastify/session"
import fastify from "fastify"
import { cookieLifeSeconds, secret } from "../settings.js"

const ready = async (app) => {
  await app.ready()
  return app.server
}

const bare = () => {
  const app = fastify()
  let count = 0
  app.get("/", (_request, reply) => {
    reply.type("text/plain").send(String(++count))
  })
  return ready(app)
}

const memory = () => {
  const app = fastify()
  app.register(fastifyCookie)
  app.register(fastifySession, {
    secret,
    cookieName: "session",
    saveUninitialized: false,
    cookie: { maxAge: cookieLifeSeconds * 1000, httpOnly: true, sameSite: "lax", path: "/", secure: false }
  })
  app.get("/", (request, reply) => {
    request.session.count = (request.session.count ?? 0) + 1
    reply.type("text/plain").send(String(request.session.count))
  })
  return ready(app)
}

const sealedCookie = () => {
  const app = fastify()
  app.register(fastifySecureSession, {
    key: Buffer.from(secret).subarray(0, 32),
    cookieName: "session",
    cookie: { maxAge: cookieLifeSeconds, httpOnly: true, sameSite: "lax", path: "/", secure: false }
  })
  app.get("/", (request, reply) => {
    const count = (request.session.get("count") ?? 0) + 1
    request.session.set("count", count)
    reply.type("text/plain").send(String(count))
  })
  return ready(app)
}

export const variants = { bare, memory, sealedCookie }
