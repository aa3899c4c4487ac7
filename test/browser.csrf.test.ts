/**
 * Attack pages in a real browser: on another site, and on a sibling subdomain of the app. A second app without `Csrf` shows
 * that the attacks are attacks.
 *
 * Names below `.localhost` are addresses of this machine, each a site of its own, for which the browser sends
 * `Sec-Fetch-Site`. It does not for names below `.example` over plain HTTP, as for any site without TLS: there `Origin`
 * decides. A proxy that drops both headers stands for a browser that knows neither.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { Csrf, RequestContext, SessionKey, SessionStore } from "effect-session"
import { existsSync } from "node:fs"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { listen } from "./support/server.js"
import { onMessage } from "./support/socket.js"

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium"
const reason = existsSync(executablePath) ? "" : `no browser at ${executablePath}; CHROMIUM names another`
/** On a busy machine, a browser takes its time. */
const patience = 180_000
const required = process.env.REQUIRE_SERVICES === "1"

// ── the app ──

const Balance = SessionKey.make("balance", Schema.Int)

/** What a request brought, for the test to look at. */
interface Arrived {
  readonly what: string
  readonly site: string | undefined
  readonly origin: string | undefined
  readonly cookie: boolean
}

const html = (body: string) => HttpServerResponse.text(`<!doctype html><body>${body}`, { contentType: "text/html" })

const shown = Effect.map(
  RequestContext.get(Balance),
  (balance) => html(`<output>${Option.getOrElse(balance, () => "-")}</output>`)
)

const transfer = RequestContext.modify(Balance, (balance) => [undefined, Option.map(balance, (amount) => amount - 1)])

const makeApp = (arrived: Array<Arrived>) => {
  const note = (what: string) =>
    Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
      const { cookie, origin, "sec-fetch-site": site } = headers
      arrived.push({ what, site, origin, cookie: cookie?.includes("session=") === true })
    })
  const router = HttpRouter.empty.pipe(
    HttpRouter.get("/start", Effect.as(RequestContext.insert(Balance, 100), html("started"))),
    HttpRouter.get("/balance", Effect.zipRight(note("balance"), shown)),
    HttpRouter.get(
      "/form",
      Effect.map(Csrf.token, (token) =>
        html(
          `<form method="post" action="/transfer"><input name="${Csrf.fieldName}" value="${token}"><button>pay</button></form>`
        ))
    ),
    HttpRouter.all("/transfer", Effect.zipRight(Effect.zipRight(note("transfer ran"), transfer), shown)),
    HttpRouter.get(
      "/socket",
      Effect.gen(function*() {
        const socket = yield* HttpServerRequest.upgrade
        yield* note("socket opened")
        yield* transfer
        yield* onMessage(socket, () => Effect.void)
        return HttpServerResponse.empty()
      }).pipe(Effect.scoped, Effect.catchTag("SocketError", () => Effect.succeed(HttpServerResponse.empty())))
    )
  )
  /** Notes what reached the server at all, whatever becomes of it. */
  const seen = <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.flatMap(
      HttpServerRequest.HttpServerRequest,
      ({ method, url }) => method === "POST" || url === "/socket" ? Effect.zipRight(note(`${method} ${url}`), app) : app
    )
  return { router, seen }
}

// ── the attacks ──

/** Every way by which a page of another origin makes a browser send something that changes something. */
const attacks: Readonly<Record<string, (target: string) => string>> = {
  "a form": (to) => `<form id="f" method="post" action="${to}/transfer"></form><script>f.submit()</script>`,
  "a form that looks like JSON": (to) =>
    `<form id="f" method="post" enctype="text/plain" action="${to}/transfer"><input name='{"a":"' value='"}'></form>`
    + "<script>f.submit()</script>",
  "a form in a sandbox": (to) =>
    `<iframe sandbox="allow-scripts allow-forms" srcdoc="<form id=f method=post action='${to}/transfer'></form>`
    + "<script>f.submit()</script>\"></iframe>",
  "a form that sends no Referer": (to) =>
    "<meta name=referrer content=no-referrer>"
    + `<form id="f" method="post" action="${to}/transfer"></form><script>f.submit()</script>`,
  "a fetch": (to) =>
    `<script>fetch("${to}/transfer", { method: "POST", mode: "no-cors", credentials: "include" })</script>`,
  "a beacon": (to) => `<script>navigator.sendBeacon("${to}/transfer", "x")</script>`
}

const socketAttack = (target: string) => `<script>new WebSocket("${target.replace("http", "ws")}/socket")</script>`

describe.skipIf(reason !== "" && !required)(`a browser${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  let browser: Browser
  let page: { readonly port: number; readonly close: () => Promise<void> }
  /** what the attacker's server answers */
  let attack = ""

  const arrived: Array<Arrived> = []
  const unprotectedArrived: Array<Arrived> = []
  const servers: Record<string, Awaited<ReturnType<typeof listen>>> = {}
  let proxy: Http.Server

  beforeAll(async () => {
    const attacker = Http.createServer((_, response) => {
      response.setHeader("content-type", "text/html").end(`<!doctype html><body>${attack}`)
    })
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve))
    page = {
      port: (attacker.address() as AddressInfo).port,
      close: () => new Promise((resolve) => attacker.close(() => resolve()))
    }

    const { router, seen } = makeApp(arrived)
    const open = makeApp(unprotectedArrived)
    servers["lax"] = await listen(seen(Csrf.middleware(router)), SessionStore.layerMemory({ secure: false }))
    servers["none"] = await listen(seen(Csrf.middleware(router)), SessionStore.layerMemory({ sameSite: "none" }))
    servers["trusting"] = await listen(
      seen(Csrf.middlewareWith({ trustedOrigins: [`http://help.localhost:${page.port}`] })(router)),
      SessionStore.layerMemory({ sameSite: "none" })
    )
    servers["openLax"] = await listen(open.seen(open.router), SessionStore.layerMemory({ secure: false }))
    servers["openNone"] = await listen(open.seen(open.router), SessionStore.layerMemory({ sameSite: "none" }))

    // a browser that knows neither header
    proxy = Http.createServer((request, response) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => name !== "origin" && !name.startsWith("sec-"))
      )
      const { method, url: path } = request
      request.pipe(
        Http.request({ port: servers["lax"].port, host: "127.0.0.1", method, path, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.headers)
          answer.pipe(response)
        })
      )
    })
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))

    browser = await chromium.launch({
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP *.example 127.0.0.1, MAP *.localhost 127.0.0.1"
      ]
    })
  }, patience)
  afterAll(async () => {
    await browser?.close()
    await page?.close()
    proxy?.close()
    for (const server of Object.values(servers)) await server.close()
  })

  const newContext = async () => {
    const context = await browser.newContext()
    context.setDefaultTimeout(patience / 3)
    return context
  }

  /** A browser that is signed in to the app, and what it did after that. */
  const visitor = async (shop: string) => {
    const context = await newContext()
    const tab = await context.newPage()
    await tab.goto(`${shop}/start`)
    arrived.length = 0
    unprotectedArrived.length = 0
    return { context, tab }
  }

  const balance = async (context: BrowserContext, shop: string) => {
    const tab = await context.newPage()
    await tab.goto(`${shop}/balance`)
    return tab.locator("output").innerText()
  }

  /** Opens the attack's page, and waits until its request has reached the server. */
  const fallFor = async (tab: Page, from: string, text: string, log: ReadonlyArray<Arrived>, what: string) => {
    attack = text
    await tab.goto(`http://${from}:${page.port}/`, { waitUntil: "commit" })
    await expect.poll(() => log.filter((request) => request.what === what), { timeout: patience / 3 }).toHaveLength(1)
    // time for a handler that should not have run
    await new Promise((resolve) => setTimeout(resolve, 50))
    return log.find((request) => request.what === what)!
  }

  const places = {
    "of another site": { from: "evil.localhost", site: "cross-site" },
    "of a sibling subdomain": { from: "blog.shop.localhost", site: "same-site" }
  }
  for (const [name, text] of Object.entries(attacks)) {
    for (const [place, { from, site }] of Object.entries(places)) {
      it(`X2: ${name} ${place} is refused, even where its request carries the cookie`, async () => {
        const shop = `http://shop.localhost:${servers["none"].port}`
        const { context, tab } = await visitor(shop)
        const request = await fallFor(tab, from, text(shop), arrived, "POST /transfer")
        // browsers keep cookies of others from what a page loads, but not from where it leads
        if (site === "same-site" || !["a form in a sandbox", "a fetch", "a beacon"].includes(name)) {
          expect(request).toMatchObject({ cookie: true })
        }
        // a page in a sandbox has an origin of its own, which is of no site
        expect(request.site).toBe(name === "a form in a sandbox" ? "cross-site" : site)
        expect(arrived.map(({ what }) => what)).toEqual(["POST /transfer"])
        expect(await balance(context, shop)).toBe("100")
        await context.close()
      }, patience)
    }
  }

  it("X2: without Csrf, the form of another site takes the money where the cookie is SameSite=None", async () => {
    const shop = `http://shop.localhost:${servers["openNone"].port}`
    const { context, tab } = await visitor(shop)
    await fallFor(tab, "evil.localhost", attacks["a form"](shop), unprotectedArrived, "POST /transfer")
    expect(await balance(context, shop)).toBe("99")
    await context.close()
  }, patience)

  it(
    "M10: a POST of another site carries no cookie that is SameSite=Lax, and its handler sees no session",
    async () => {
      const shop = `http://shop.localhost:${servers["openLax"].port}`
      for (const text of [attacks["a form"], attacks["a fetch"]]) {
        const { context, tab } = await visitor(shop)
        const request = await fallFor(tab, "evil.localhost", text(shop), unprotectedArrived, "POST /transfer")
        expect(request).toMatchObject({ cookie: false, site: "cross-site" })
        expect(await balance(context, shop)).toBe("100")
        await context.close()
      }
    },
    patience
  )

  it("M10: a link of another site carries the cookie that is SameSite=Lax, because it only looks", async () => {
    const shop = `http://shop.localhost:${servers["lax"].port}`
    const { context, tab } = await visitor(shop)
    const link = `<script>location = "${shop}/balance"</script>`
    const request = await fallFor(tab, "evil.localhost", link, arrived, "balance")
    expect(request).toMatchObject({ cookie: true, site: "cross-site" })
    expect(await tab.locator("output").innerText()).toBe("100")
    await context.close()
  }, patience)

  it(
    "X2: a sibling subdomain is the same site for SameSite=Lax: it takes the money without Csrf, and not with it",
    async () => {
      for (const [server, log, left] of [["openLax", unprotectedArrived, "99"], ["lax", arrived, "100"]] as const) {
        const shop = `http://shop.localhost:${servers[server].port}`
        const { context, tab } = await visitor(shop)
        const request = await fallFor(tab, "blog.shop.localhost", attacks["a form"](shop), log, "POST /transfer")
        expect(request).toMatchObject({ cookie: true, site: "same-site" })
        expect(await balance(context, shop)).toBe(left)
        await context.close()
      }
    },
    patience
  )

  it(
    "X4: a WebSocket of another site or of a sibling subdomain does not open, and without Csrf the sibling's does",
    async () => {
      const attempts = [
        ["none", arrived, "evil.localhost", "100"],
        ["none", arrived, "blog.shop.localhost", "100"],
        ["lax", arrived, "blog.shop.localhost", "100"],
        ["openLax", unprotectedArrived, "blog.shop.localhost", "99"]
      ] as const
      for (const [server, log, from, left] of attempts) {
        const shop = `http://shop.localhost:${servers[server].port}`
        const { context, tab } = await visitor(shop)
        const request = await fallFor(tab, from, socketAttack(shop), log, "GET /socket")
        expect(request.origin).toBe(`http://${from}:${page.port}`)
        if (from !== "evil.localhost") expect(request.cookie).toBe(true)
        expect(await balance(context, shop)).toBe(left)
        await context.close()
      }
    },
    patience
  )

  it("X3: the form of a trusted origin passes, and that of its neighbour does not", async () => {
    const shop = `http://shop.localhost:${servers["trusting"].port}`
    for (const [from, left] of [["help.localhost", "99"], ["nohelp.localhost", "100"]] as const) {
      const { context, tab } = await visitor(shop)
      const request = await fallFor(tab, from, attacks["a form"](shop), arrived, "POST /transfer")
      expect(request).toMatchObject({ cookie: true, site: "cross-site" })
      expect(await balance(context, shop)).toBe(left)
      await context.close()
    }
  }, patience)

  /** What the app's own page may do, with and without a script. */
  const ownPage = async (shop: string, socket: boolean) => {
    const { context, tab } = await visitor(shop)
    await tab.goto(`${shop}/form`)
    await tab.getByRole("button", { name: "pay" }).click()
    expect(await tab.locator("output").innerText()).toBe("99")
    const byFetch = await tab.evaluate(async (header) => {
      const form = new DOMParser().parseFromString(await (await fetch("/form")).text(), "text/html")
      const token = form.querySelector("input")?.value ?? ""
      return (await fetch("/transfer", { method: "POST", headers: { [header]: token } })).status
    }, Csrf.headerName)
    expect(byFetch).toBe(200)
    if (socket) {
      const opened = await tab.evaluate(() =>
        new Promise<boolean>((resolve) => {
          const socket = new WebSocket(`${location.origin.replace("http", "ws")}/socket`)
          socket.onopen = () => resolve(true)
          socket.onerror = () => resolve(false)
        })
      )
      expect(opened).toBe(true)
    }
    await context.close()
  }

  it("X2: the app's own page may do all of it", async () => {
    await ownPage(`http://shop.localhost:${servers["lax"].port}`, true)
    expect(arrived.find(({ what }) => what === "POST /transfer")).toMatchObject({ site: "same-origin" })
  }, patience)

  describe("that sends no Sec-Fetch-Site, because there is no TLS", () => {
    it("X3: the app's own page may do all of it", async () => {
      await ownPage(`http://shop.example:${servers["lax"].port}`, true)
      expect(arrived.find(({ what }) => what === "POST /transfer")).toMatchObject({ site: undefined })
    }, patience)

    it("X3: a form, a fetch and a WebSocket of another origin are refused by the Origin that they name", async () => {
      const shop = `http://shop.example:${servers["lax"].port}`
      for (const from of ["evil.example", "blog.shop.example"]) {
        for (const text of [attacks["a form"], attacks["a fetch"], attacks["a form in a sandbox"]]) {
          const { context, tab } = await visitor(shop)
          const request = await fallFor(tab, from, text(shop), arrived, "POST /transfer")
          expect(request.site).toBe(undefined)
          expect(request.origin).toBe(
            text === attacks["a form in a sandbox"] ? "null" : `http://${from}:${page.port}`
          )
          expect(arrived.map(({ what }) => what)).toEqual(["POST /transfer"])
          expect(await balance(context, shop)).toBe("100")
          await context.close()
        }
        const { context, tab } = await visitor(shop)
        await fallFor(tab, from, socketAttack(shop), arrived, "GET /socket")
        expect(await balance(context, shop)).toBe("100")
        await context.close()
      }
    }, patience)
  })

  describe("that knows neither Sec-Fetch-Site nor Origin", () => {
    const shop = () => `http://shop.example:${(proxy.address() as AddressInfo).port}`

    it("X5: the app's own page may post by its token", async () => {
      await ownPage(shop(), false)
      expect(arrived.find(({ what }) => what === "POST /transfer")).toMatchObject({
        site: undefined,
        origin: undefined
      })
    }, patience)

    it("X5: a form of another origin is refused, because its page cannot know a token", async () => {
      for (const from of ["evil.example", "blog.shop.example"]) {
        const { context, tab } = await visitor(shop())
        await fallFor(tab, from, attacks["a form"](shop()), arrived, "POST /transfer")
        expect(arrived.map(({ what }) => what)).toEqual(["POST /transfer"])
        expect(await balance(context, shop())).toBe("100")
        await context.close()
      }
    }, patience)
  })
})
