/**
 * The example app in a real browser: what a person sees, clicks and types, with the browser's own cookie rules.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { isLeftOut, launch, missing, patience } from "./support/chromium.js"
import { lowContrasts } from "./support/contrast.js"
import { type Example, start } from "./support/example.js"

describe.skipIf(isLeftOut)(`a browser${missing === "" ? "" : ` (skipped: ${missing})`}`, () => {
  let browser: Browser
  let memory: Example
  let cookie: Example

  beforeAll(async () => {
    ;[memory, cookie, browser] = await Promise.all([start({ STORE: "memory" }), start({ STORE: "cookie" }), launch()])
  }, patience)
  afterAll(async () => {
    await browser?.close()
    await Promise.all([memory?.stop(), cookie?.stop()])
  }, patience)

  /** A page of a browser of its own. No test of this app needs a script, so that none may run. */
  const open = async (app: Example, options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ javaScriptEnabled: false, ...options })
    context.setDefaultTimeout(patience / 3)
    const page = await context.newPage()
    const problems: Array<string> = []
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()))
    page.on("pageerror", (error) => problems.push(String(error)))
    await page.goto(app.origin)
    return { context, page, problems }
  }

  const rows = async (page: Page) => (await page.locator("#session tbody tr").allInnerTexts()).sort()
  const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()
  const notice = (page: Page) => page.locator(".notices").innerText()
  const add = (page: Page, tea: string) => press(page, `Add ${tea} to the cart`)
  /** A fact of the panel, by its name. */
  const fact = (page: Page, name: string) => page.locator(`.panel dt:text-is("${name}") + dd`).innerText()

  const signIn = async (page: Page, email = "ada@example.com", password = "first programmer") => {
    await page.getByLabel("E-mail address").fill(email)
    await page.getByLabel("Password").fill(password)
    await press(page, "Sign in")
  }

  const signedIn = async (app: Example, options: BrowserContextOptions = {}) => {
    const visitor = await open(app, options)
    await visitor.page.goto(`${app.origin}/sign-in`)
    await signIn(visitor.page)
    await visitor.page.getByText("Hello, Ada").waitFor()
    return visitor
  }

  const sessionCookie = async (context: BrowserContext) =>
    (await context.cookies()).find(({ name }) => name === "session")

  it("M11: a visitor fills a cart, signs in, orders and signs out, and no other visitor sees the session", async () => {
    const { context, page, problems } = await open(memory)
    expect(await sessionCookie(context)).toBe(undefined)
    await add(page, "Sencha")
    expect(await notice(page)).toBe("Sencha is in your cart.")
    expect(await rows(page)).toEqual(["app.cart\t[{\"tea\":\"sencha\",\"quantity\":1}]"])
    await page.reload()
    expect(await notice(page)).toBe("")

    await page.getByRole("link", { name: /^Cart/ }).click()
    await press(page, "Order")
    expect(new URL(page.url()).pathname).toBe("/sign-in")
    const before = await sessionCookie(context)
    const idBefore = await fact(page, "Id")
    await page.goto(`${memory.origin}/sign-in?to=/cart`)
    await signIn(page)
    expect(new URL(page.url()).pathname).toBe("/cart")
    expect(await notice(page)).toBe("Welcome, Ada.")
    expect(await fact(page, "Id")).not.toBe(idBefore)
    expect((await sessionCookie(context))?.value).not.toBe(before?.value)
    expect(await rows(page)).toEqual(["app.cart\t[{\"tea\":\"sencha\",\"quantity\":1}]"])
    await press(page, "Order")
    expect(await notice(page)).toBe("Thank you. Your tea is on its way.")

    const stranger = await open(memory)
    expect(await fact(stranger.page, "Id")).toBe("there is no session yet")
    expect(await fact(stranger.page, "Signed in")).toBe("nobody")

    const old = (await sessionCookie(context))!
    await press(page, "Sign out")
    expect(await notice(page)).toBe("You have signed out.")
    expect(await fact(page, "Signed in")).toBe("nobody")
    // Somebody who has kept the cookie is not signed in with it.
    await stranger.context.addCookies([old])
    await stranger.page.reload()
    expect(await fact(stranger.page, "Signed in")).toBe("nobody")
    expect(problems).toEqual([])
    await Promise.all([context.close(), stranger.context.close()])
  }, patience)

  it("F6: the cookie is HttpOnly and Lax, lives as long as configured, and is not in the panel", async () => {
    const { context, page } = await open(cookie, { javaScriptEnabled: true })
    await add(page, "Sencha")
    const found = (await sessionCookie(context))!
    expect(found).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax", path: "/", secure: false })
    const seconds = found.expires - Date.now() / 1000
    expect(seconds).toBeGreaterThan(3_000)
    expect(seconds).toBeLessThanOrEqual(3_601)
    expect(await page.evaluate(() => document.cookie)).toBe("")
    expect(await page.content()).not.toContain(found.value)
    expect(await page.locator(".panel").innerText()).toMatch(
      /Set-Cookie: session=\(\d+ characters\); Max-Age=3600; Path=\/; HttpOnly; SameSite=Lax/
    )
    await page.reload()
    expect(await page.content()).not.toContain(found.value)
    expect(await fact(page, "Size")).toBe(`${"session=".length + found.value.length} bytes`)
    await context.close()
  }, patience)

  it(
    "C6: when the last key is removed, the browser's next requests read an empty session, from a new page too",
    async () => {
      const { context, page } = await open(cookie)
      await add(page, "Sencha")
      await page.goto(`${cookie.origin}/cart`)
      await press(page, "One Sencha less")
      // A page must not be closed while its request is still under way.
      await page.getByText("There is nothing in it yet.").waitFor()
      await page.close()
      const again = await context.newPage()
      await again.goto(`${cookie.origin}/cart`)
      expect(await again.locator("main").innerText()).toContain("There is nothing in it yet.")
      expect(await rows(again)).toEqual([])
      await context.close()
    },
    patience
  )

  it("C9: two tabs that add at the same time lose no tea, and do not go beyond the most", async () => {
    const { context, page } = await open(memory)
    await add(page, "Assam")
    const tabs = await Promise.all([context.newPage(), context.newPage()])
    await Promise.all(tabs.map((tab) => tab.goto(memory.origin)))
    for (let round = 0; round < 4; round++) await Promise.all(tabs.map((tab) => add(tab, "Assam")))
    await page.goto(`${memory.origin}/cart`)
    expect(await page.locator(".quantity").allInnerTexts()).toEqual(["9"])
    await press(page, "One Assam more")
    expect(await page.locator(".quantity").allInnerTexts()).toEqual(["9"])
    expect(await notice(page)).toContain("0 to 9 of Assam")
    await context.close()
  }, patience)

  it("C8: preferences are kept, change the page, and a form with wrong values changes nothing", async () => {
    const { context, page } = await open(memory, { colorScheme: "light" })
    await page.goto(`${memory.origin}/preferences`)
    await page.getByLabel("Dark").check()
    await page.getByLabel("Language of prices and dates").selectOption("de")
    await press(page, "Save")
    expect(await notice(page)).toBe("Your preferences are saved.")
    await page.goto(memory.origin)
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark")
    expect(await page.locator(".sencha .price").innerText()).toMatch(/^8,90\s€$/)
    const post = (form: Record<string, string>) =>
      context.request.post(`${memory.origin}/preferences`, { form, headers: { "sec-fetch-site": "same-origin" } })
    expect((await post({ theme: "<script>", language: "__proto__" })).status()).toBe(200)
    await page.reload()
    expect(await rows(page)).toEqual(["app.language\t\"de\"", "app.theme\t\"dark\""])
    await context.close()
  }, patience)

  it("L6: a wrong password shows the form again, with the address and without the password", async () => {
    const { context, page } = await open(memory)
    await page.goto(`${memory.origin}/sign-in?to=/cart`)
    await signIn(page, "ada@example.com", "second programmer")
    expect(await page.getByRole("alert").innerText()).toBe("The address or the password is wrong.")
    expect(await page.getByLabel("E-mail address").inputValue()).toBe("ada@example.com")
    expect(await page.getByLabel("Password").inputValue()).toBe("")
    await signIn(page, "nobody@example.com", "first programmer")
    expect(await page.getByRole("alert").innerText()).toBe("The address or the password is wrong.")
    await signIn(page, " ADA@example.com")
    expect(new URL(page.url()).pathname).toBe("/cart")
    await context.close()
  }, patience)

  it("X2: a form of another site is refused, and the cart stays as it is", async () => {
    const attacker = Http.createServer((_, response) => {
      response.setHeader("content-type", "text/html").end(
        `<form method="post" action="${memory.origin}/cart"><input name="tea" value="oolong"><button>win</button></form>`
      )
    })
    await new Promise<void>((resolve) => attacker.listen(0, "127.0.0.1", resolve))
    const { context, page } = await open(memory)
    await add(page, "Sencha")
    await page.goto(`http://evil.localhost:${(attacker.address() as AddressInfo).port}/`)
    const [response] = await Promise.all([page.waitForResponse(/\/cart$/), press(page, "win")])
    expect(response.status()).toBe(403)
    expect(await page.locator("main").innerText()).toContain("nothing was changed")
    // The page of "another site" that the app brings along.
    await page.goto(`${memory.origin}/other-site`)
    const frame = page.frameLocator("iframe")
    await frame.getByRole("button", { name: "Claim it" }).click()
    await frame.getByText("This request did not come from a page of this app").waitFor()
    await page.goto(`${memory.origin}/cart`)
    expect(await page.locator(".lines .name").allInnerTexts()).toEqual(["Sencha"])
    attacker.close()
    await context.close()
  }, patience)

  it("S1: a user lists the devices, ends one of them, and signs out everywhere", async () => {
    const here = await signedIn(memory)
    const there = await signedIn(memory, { userAgent: "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Firefox/145.0" })
    const names = (page: Page) => page.locator(".devices h2").allInnerTexts()
    await here.page.goto(`${memory.origin}/devices`)
    expect(await names(here.page)).toEqual(
      expect.arrayContaining(["Chrome on Linux this device", "Firefox on Windows"])
    )

    // Another user cannot end it, although the id is known.
    const id = await here.page.locator("li:has-text('Firefox on Windows') [name=id]").getAttribute("value")
    const stranger = await open(memory)
    await stranger.page.goto(`${memory.origin}/sign-in`)
    await signIn(stranger.page, "alan@example.com", "can machines think")
    await stranger.context.request.post(`${memory.origin}/devices/end`, {
      form: { id: id! },
      headers: { "sec-fetch-site": "same-origin" }
    })
    await there.page.goto(`${memory.origin}/devices`)
    expect(await names(there.page)).toContain("Firefox on Windows this device")

    await here.page.locator("li:has-text('Firefox on Windows') button").click()
    expect(await notice(here.page)).toBe("That device is signed out.")
    await there.page.goto(`${memory.origin}/devices`)
    expect(there.page.url()).toBe(`${memory.origin}/sign-in?to=%2Fdevices`)
    await signIn(there.page)
    expect(await names(there.page)).toContain("Firefox on Windows this device")

    await here.page.goto(`${memory.origin}/devices`)
    await press(here.page, "Sign out everywhere")
    expect(await notice(here.page)).toBe("You have signed out everywhere.")
    for (const { context, page } of [here, there]) {
      await page.goto(memory.origin)
      expect(await fact(page, "Signed in")).toBe("nobody")
      await context.close()
    }
    await stranger.page.goto(memory.origin)
    expect(await fact(stranger.page, "Signed in")).toBe("user-2")
    await stranger.context.close()
  }, patience)

  it(
    "K5: with the cookie store the user signs in and out as well, and the page of the devices says what it lacks",
    async () => {
      const { context, page } = await signedIn(cookie)
      await page.goto(`${cookie.origin}/devices`)
      expect(await page.locator("main").innerText()).toContain("This page needs a store on the server.")
      await press(page, "Sign out")
      expect(await fact(page, "Signed in")).toBe("nobody")
      await context.close()
    },
    patience
  )

  it("the app can be used with the keyboard alone, and what has the focus is always visible", async () => {
    const { context, page } = await open(memory, { javaScriptEnabled: true })
    /** Presses Tab until the element of that name has the focus. */
    const tabTo = async (name: string) => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press("Tab")
        const focused = await page.evaluate(() => {
          const element = document.activeElement as HTMLElement
          const { outlineStyle, outlineWidth } = getComputedStyle(element)
          const label = (element as HTMLInputElement).labels?.[0]?.innerText ?? element.getAttribute("aria-label")
          return { name: (label ?? element.innerText).trim(), outline: `${outlineWidth} ${outlineStyle}` }
        })
        if (focused.name !== "") expect(focused).toMatchObject({ outline: "3px solid" })
        if (focused.name === name) return
      }
      throw new Error(`no Tab leads to ${name}`)
    }
    await page.keyboard.press("Tab")
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content")
    await page.keyboard.press("Enter")
    await tabTo("Add Sencha to the cart") // the first button behind the skipped navigation
    await page.keyboard.press("Enter")
    await page.getByText("Sencha is in your cart.").waitFor()
    await tabTo("Sign in")
    await page.keyboard.press("Enter")
    await page.getByLabel("E-mail address").waitFor()
    await tabTo("E-mail address")
    await page.keyboard.type("ada@example.com")
    await page.keyboard.press("Tab")
    await page.keyboard.type("first programmer")
    await page.keyboard.press("Enter")
    await page.getByText("Hello, Ada").waitFor()
    await tabTo("Preferences")
    await page.keyboard.press("Enter")
    await page.getByLabel("Dark").waitFor()
    await tabTo("As the system")
    await page.keyboard.press("ArrowDown")
    await tabTo("Save")
    await page.keyboard.press("Enter")
    await page.getByText("Your preferences are saved.").waitFor()
    expect(await page.locator("html").getAttribute("data-theme")).toBe("light")
    await tabTo("Sign out")
    await page.keyboard.press("Space")
    await page.getByText("You have signed out.").waitFor()
    await context.close()
  }, patience)

  const paths = ["/", "/cart", "/preferences", "/devices", "/sign-in", "/other-site", "/nowhere", "/other-site/frame"]

  it("no page scrolls sideways on a screen of 360 pixels", async () => {
    const { context, page } = await open(memory, { viewport: { width: 360, height: 740 }, javaScriptEnabled: true })
    await add(page, "Hibiscus")
    await context.request.put(`${memory.origin}/session/values/${"k".repeat(60)}`, { data: "v".repeat(400) })
    await page.goto(`${memory.origin}/sign-in`)
    await signIn(page)
    for (const path of paths) {
      await page.goto(memory.origin + path)
      expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 360])
    }
    await context.close()
  }, patience)

  for (const colorScheme of ["light", "dark"] as const) {
    it(
      `every text and field of the ${colorScheme} theme has enough contrast, and every page its landmarks`,
      async () => {
        const { context, page, problems } = await open(memory, { colorScheme, javaScriptEnabled: true })
        await add(page, "Jasmine")
        expect(await page.evaluate(lowContrasts)).toEqual([])
        await page.goto(`${memory.origin}/sign-in`)
        await signIn(page, "ada@example.com", "wrong")
        expect(await page.evaluate(lowContrasts)).toEqual([])
        await signIn(page)
        const grounds = new Set<string>()
        for (const path of paths) {
          await page.goto(memory.origin + path)
          expect([path, await page.evaluate(lowContrasts)]).toEqual([path, []])
          expect([path, await page.locator("main").count(), await page.locator("h1").count()]).toEqual([path, 1, 1])
          const unlabelled = await page.evaluate(() =>
            [...document.querySelectorAll<HTMLInputElement>("input:not([type=hidden]), select")]
              .filter(({ labels }) => (labels?.length ?? 0) === 0).length
          )
          expect([path, unlabelled]).toEqual([path, 0])
          grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor))
        }
        expect([...grounds]).toEqual([colorScheme === "light" ? "rgb(245, 243, 236)" : "rgb(16, 21, 18)"])
        expect(problems.filter((text) => !text.includes("404"))).toEqual([])
        await context.close()
      },
      patience
    )
  }
})
