/**
 * The example's page in a real browser: what a person sees and clicks, with the browser's own cookie rules.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { type Browser, chromium, type Page } from "playwright-core"
import { type Example, start } from "./support/example.js"

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium"
const reason = existsSync(executablePath) ? "" : `no browser at ${executablePath}; CHROMIUM names another`
const required = process.env.REQUIRE_SERVICES === "1"

describe.skipIf(reason !== "" && !required)(`a browser${reason === "" ? "" : ` (skipped: ${reason})`}`, () => {
  let browser: Browser
  let server: Example

  beforeAll(async () => {
    server = await start({ STORE: "cookie" })
    browser = await chromium.launch({
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync"
      ]
    })
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const rows = (page: Page) => page.locator("#session tbody tr").allInnerTexts()

  const press = async (page: Page, label: string, answer: string) => {
    await page.getByRole("button", { name: label, exact: true }).click()
    await page.locator("output", { hasText: answer }).waitFor()
  }

  it(
    "M11: a visitor stores, reads, counts, clears and signs out by clicks, and no other visitor sees the session",
    async () => {
      const context = await browser.newContext()
      const page = await context.newPage()
      const problems: Array<string> = []
      page.on("console", (message) => message.type() === "error" && problems.push(message.text()))
      page.on("pageerror", (error) => problems.push(String(error)))
      await page.goto(server.origin)
      expect(await rows(page)).toEqual(["empty"])
      await press(page, "store alan = turing", "POST /session → 200 turing")
      expect(await rows(page)).toEqual(["alan\t\"turing\""])
      await press(page, "count a visit", "GET /session/count → 200 1")
      await press(page, "count a visit", "GET /session/count → 200 2")
      await page.locator("#note").fill("<b>bold</b>")
      await press(page, "write a note", "PUT /session/values/note → 200")
      expect((await rows(page)).sort()).toEqual(["alan\t\"turing\"", "count\t2", "note\t\"<b>bold</b>\""])
      await press(page, "renew the id", "POST /session/renew → 200 renewed")
      await press(page, "remove alan", "DELETE /session → 200 turing")
      expect((await rows(page)).sort()).toEqual(["count\t2", "note\t\"<b>bold</b>\""])

      const stranger = await (await browser.newContext()).newPage()
      await stranger.goto(server.origin)
      expect(await rows(stranger)).toEqual(["empty"])

      await press(page, "clear", "POST /session/clear → 200 cleared")
      expect(await rows(page)).toEqual(["empty"])
      await press(page, "store alan = turing", "POST /session → 200 turing")
      await press(page, "flush (sign out)", "POST /session/flush → 200 flushed")
      expect(await rows(page)).toEqual(["empty"])
      expect(await context.cookies()).toEqual([])
      expect(problems).toEqual([])
      if (process.env.SCREENSHOT !== undefined) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true })
    },
    60_000
  )

  it("F6: the cookie is HttpOnly and Lax, and lives as long as configured", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(server.origin)
    await press(page, "store alan = turing", "turing")
    const [cookie] = await context.cookies()
    expect(cookie).toMatchObject({ name: "session", httpOnly: true, sameSite: "Lax", path: "/", secure: false })
    const seconds = cookie.expires - Date.now() / 1000
    expect(seconds).toBeGreaterThan(3_500)
    expect(seconds).toBeLessThanOrEqual(3_601)
    expect(await page.evaluate(() => document.cookie)).toBe("")
  }, 60_000)

  it("C6: after a clear the browser's next requests read an empty session, from a new page too", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(server.origin)
    await press(page, "store alan = turing", "turing")
    await press(page, "clear", "cleared")
    await page.close()
    const again = await context.newPage()
    await again.goto(server.origin)
    expect(await rows(again)).toEqual(["empty"])
  }, 60_000)
})
