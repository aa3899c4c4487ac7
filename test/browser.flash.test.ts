/**
 * `Flash` in a real browser: what it follows, prefetches, and shows in two tabs.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Flash, SessionStore } from "effect-session"
import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"
import { listen } from "./support/server.js"

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium"
const reason = existsSync(executablePath) ? "" : `no browser at ${executablePath}; CHROMIUM names another`
/** On a busy machine, a browser takes its time. */
const patience = 180_000
const required = process.env.REQUIRE_SERVICES === "1"

const Notice = Flash.make("notice", Schema.String)
const SignUp = Flash.form("sign-up", { secrets: ["password"] })

const html = (body: string) => HttpServerResponse.text(`<!doctype html><body>${body}`, { contentType: "text/html" })

/** The prefetches that have arrived, by their header. */
const prefetched: Array<string> = []

const notePrefetch = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
  if (headers["sec-purpose"] !== undefined) prefetched.push(headers["sec-purpose"])
})

const redirect = (to: string) => Effect.succeed(HttpServerResponse.redirect(to, { status: 303 }))

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", html("<form method=post action=/save><button>save</button></form>")),
  HttpRouter.post("/save", Effect.zipRight(Flash.add(Notice, "saved"), redirect("/moved"))),
  HttpRouter.post("/save-quietly", Effect.zipRight(Flash.add(Notice, "saved"), redirect("/links"))),
  HttpRouter.get("/moved", redirect("/page")),
  HttpRouter.get(
    "/page",
    Effect.zipRight(
      notePrefetch,
      Effect.map(Flash.take(Notice), (notices) => html(`<output>${notices.join() || "nothing"}</output>`))
    )
  ),
  HttpRouter.get("/quiet", html("<form method=post action=/save-quietly><button>save</button></form>")),
  HttpRouter.get("/links", html("<link rel=prefetch href=/page><p>links</p>")),
  HttpRouter.post(
    "/sign-up",
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const input = yield* request.urlParamsBody
      yield* Flash.failForm(SignUp, { input, errors: { email: "no address" } })
      return HttpServerResponse.redirect("/sign-up", { status: 303 })
    })
  ),
  HttpRouter.get(
    "/sign-up",
    Effect.map(Flash.refill(SignUp), (form) =>
      html(
        `<form method=post><input name=email value="${form.value("email")}"><input name=password type=password value="${
          form.value("password")
        }"><output>${form.error("email") || "nothing"}</output><button>sign up</button></form>`
      ))
  )
)

describe.skipIf(reason !== "" && !required)(`a browser${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof listen>>
  let origin: string

  beforeAll(async () => {
    server = await listen(app, SessionStore.layerMemory({ secure: false }))
    origin = `http://localhost:${server.port}`
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
        "--host-resolver-rules=MAP localhost 127.0.0.1"
      ]
    })
  }, patience)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  const newContext = async () => {
    const context = await browser.newContext()
    context.setDefaultTimeout(patience / 3)
    return context
  }

  it("L2: a message is on the page after two redirects, and is gone when the page is loaded again", async () => {
    const context = await newContext()
    const tab = await context.newPage()
    await tab.goto(origin)
    await tab.getByRole("button", { name: "save" }).click()
    expect([tab.url(), await tab.locator("output").innerText()]).toEqual([`${origin}/page`, "saved"])
    await tab.reload()
    expect(await tab.locator("output").innerText()).toBe("nothing")
    await context.close()
  }, patience)

  it("L3: a link that the browser prefetches does not eat the message of the page that is shown", async () => {
    const context = await newContext()
    const tab = await context.newPage()
    prefetched.length = 0
    await tab.goto(`${origin}/quiet`)
    await tab.getByRole("button", { name: "save" }).click()
    await tab.getByText("links").waitFor()
    await expect.poll(() => prefetched.length, { timeout: patience / 3 }).toBe(1)
    expect(prefetched).toEqual(["prefetch"])
    const shown = await context.newPage()
    await shown.goto(`${origin}/page?shown`)
    expect(await shown.locator("output").innerText()).toBe("saved")
    await context.close()
  }, patience)

  it("L4: of two tabs that are opened at once, one shows the message", async () => {
    const context = await newContext()
    const tab = await context.newPage()
    await tab.goto(`${origin}/quiet`)
    await tab.getByRole("button", { name: "save" }).click()
    await tab.getByText("links").waitFor()
    const tabs = await Promise.all([context.newPage(), context.newPage()])
    await Promise.all(tabs.map((tab, index) => tab.goto(`${origin}/page?tab=${index}`)))
    const texts = await Promise.all(tabs.map((tab) => tab.locator("output").innerText()))
    expect(texts.sort()).toEqual(["nothing", "saved"])
    await context.close()
  }, patience)

  it("L6: a form that failed is shown with its input and its error, without its password, and once", async () => {
    const context = await newContext()
    const tab = await context.newPage()
    await tab.goto(`${origin}/sign-up`)
    await tab.locator("[name=email]").fill("ada")
    await tab.locator("[name=password]").fill("secret")
    await tab.getByRole("button", { name: "sign up" }).click()
    await tab.getByText("no address").waitFor()
    expect([await tab.locator("[name=email]").inputValue(), await tab.locator("[name=password]").inputValue()]).toEqual(
      [
        "ada",
        ""
      ]
    )
    await tab.goto(`${origin}/sign-up`)
    expect(await tab.locator("[name=email]").inputValue()).toBe("")
    expect(await tab.locator("output").innerText()).toBe("nothing")
    await context.close()
  }, patience)
})
