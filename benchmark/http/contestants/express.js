/**
 * Express: bare, express-session in memory and on Redis, cookie-session.
 */
import { RedisStore } from "connect-redis"
import cookieSession from "cookie-session"
import express from "express"
import session from "express-session"
import { createServer } from "node:http"
import { createClient } from "redis"
import { cookieLifeSeconds, redisUrl, secret } from "../settings.js"

const serve = (app) => createServer(app)

const counter = (middleware) => {
  const app = express()
  app.use(middleware)
  app.get("/", (request, response) => {
    request.session.count = (request.session.count ?? 0) + 1
    response.type("text/plain").send(String(request.session.count))
  })
  return serve(app)
}

const bare = () => {
  const app = express()
  let count = 0
  app.get("/", (_request, response) => {
    response.type("text/plain").send(String(++count))
  })
  return serve(app)
}

const cookie = { maxAge: cookieLifeSeconds * 1000, httpOnly: true, sameSite: "lax", path: "/", secure: false }

const expressSession = (store) =>
  counter(session({ name: "session", secret, resave: false, saveUninitialized: false, cookie, store }))

const memory = () => expressSession(undefined)

const redis = async () => {
  const client = createClient({ url: redisUrl })
  await client.connect()
  return expressSession(new RedisStore({ client, prefix: "benchmark:connect-redis:" }))
}

const signedCookie = () => counter(cookieSession({ name: "session", keys: [secret], ...cookie }))

export const variants = { bare, memory, redis, signedCookie }
