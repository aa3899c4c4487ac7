/** Apps with the real packages of the old libraries, on sockets of this machine, and a browser that visits old and new. */
import cookieSession from "cookie-session"
import express from "express"
import session from "express-session"
import { getIronSession } from "iron-session"
import { once } from "node:events"
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { CookieJar } from "../../src/internal/testing/jar.js"

export interface Held {
  user?: string
  cart?: ReadonlyArray<string>
}

export interface OldApp {
  readonly port: number
  readonly close: () => Promise<void>
}

type Access = (request: express.Request, response: express.Response) => Promise<{
  readonly data: Held
  readonly save: () => Promise<void>
  readonly destroy: () => Promise<void>
}>

const serve = async (use: ReadonlyArray<express.RequestHandler>, access: Access): Promise<OldApp> => {
  const app = express()
  for (const each of use) app.use(each)
  app.post("/login/:user", async (request, response) => {
    const { data, save } = await access(request, response)
    data.user = request.params.user
    data.cart = [...data.cart ?? [], "tea"]
    await save()
    response.json(data)
  })
  app.get("/me", async (request, response) => {
    const { data } = await access(request, response)
    response.json({ user: data.user ?? null, cart: data.cart ?? [] })
  })
  app.post("/logout", async (request, response) => {
    const { destroy } = await access(request, response)
    await destroy()
    response.json({})
  })
  const server: Server = app.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}

export const secret = "the-secret-of-the-old-app-0123456789abcdef"

/** express-session over its memory store, which the new app asks too. */
export const oldExpress = async (options: Partial<session.SessionOptions> = {}) => {
  const store = new session.MemoryStore()
  const app = await serve(
    [session({ secret, resave: false, saveUninitialized: false, store, ...options })],
    async (request) => ({
      data: request.session as unknown as Held,
      save: async () => {},
      destroy: () => new Promise((resolve) => request.session.destroy(() => resolve()))
    })
  )
  const get = (id: string) =>
    new Promise<unknown>((resolve, reject) =>
      store.get(id, (error, data) => error ? reject(error as Error) : resolve(data))
    )
  const destroy = (id: string) => new Promise<void>((resolve) => store.destroy(id, () => resolve()))
  return { ...app, store, get, destroy }
}

export const oldCookieSession = (options: CookieSessionInterfaces.CookieSessionOptions = {}) =>
  serve([cookieSession({ name: "old", keys: [secret], ...options })], async (request) => ({
    data: request.session as Held,
    save: async () => {},
    destroy: async () => {
      ;(request as { session: unknown }).session = null // the types of express-session do not know that this ends it
    }
  }))

export const oldIron = (options: { readonly ttl?: number; readonly password?: string | Record<string, string> } = {}) =>
  serve([], async (request, response) => {
    const data = await getIronSession<Held>(request, response, {
      password: secret,
      cookieName: "iron",
      cookieOptions: { secure: false },
      ...options
    })
    return { data, save: () => data.save(), destroy: async () => data.destroy() }
  })

/** One browser: cookies of a host are sent to all of its ports. */
export const browser = () => {
  const jar = new CookieJar(false)
  const visit = async (port: number, path: string, init: RequestInit & { cookie?: string } = {}) => {
    const url = new URL(`http://127.0.0.1:${port}${path}`)
    const cookie = init.cookie ?? jar.header(url, Date.now())
    const response = await fetch(url, { ...init, headers: cookie === undefined ? {} : { cookie } })
    for (const header of response.headers.getSetCookie()) jar.set(url, header, Date.now())
    const text = await response.text()
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text) as unknown,
      setCookies: response.headers.getSetCookie(),
      headers: response.headers
    }
  }
  return {
    visit,
    names: () => jar.live(Date.now()).map(({ name }) => name).sort(),
    value: (name: string) => jar.live(Date.now()).find((cookie) => cookie.name === name)?.value,
    header: () => jar.header(new URL("http://127.0.0.1/"), Date.now())
  }
}
