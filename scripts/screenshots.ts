/**
 * `npm run screenshots`: starts the example app, clicks through it in Chromium, and takes the pictures of the documentation
 * (docs/images). `CHROMIUM` names another browser than /usr/bin/chromium.
 */
import { spawn } from "node:child_process"
import { mkdirSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

const root = resolve(import.meta.dirname, "..")
const folder = join(root, "docs/images")
const maxKilobytes = 150

const server = spawn(process.execPath, ["--import", "tsx", "examples/web/server.ts"], {
  cwd: root,
  env: { ...process.env, NODE_ENV: "development", PORT: "0", STORE: "memory" },
  stdio: ["ignore", "pipe", "inherit"]
})
const origin = await new Promise<string>((done, failed) => {
  let output = ""
  server.stdout.on("data", (data: Buffer) => {
    output += String(data)
    const [, found] = /Open (http:\S+?)\/ /.exec(output) ?? []
    if (found !== undefined) done(found)
  })
  server.on("exit", (code) => failed(new Error(`the example ended with ${code}: ${output}`)))
})

const desktop = { viewport: { width: 1180, height: 820 } }
const phone = { viewport: { width: 360, height: 720 }, deviceScaleFactor: 2 }

const picture = async (
  browser: Browser,
  name: string,
  options: BrowserContextOptions,
  visit: (page: Page) => Promise<void>
): Promise<void> => {
  const context = await browser.newContext({ locale: "en-IE", ...options })
  context.setDefaultTimeout(120_000)
  const page = await context.newPage()
  await page.goto(origin)
  await visit(page)
  await page.waitForLoadState("networkidle")
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path, animations: "disabled", caret: "hide" })
  await context.close()
  const kilobytes = Math.ceil(statSync(path).size / 1024)
  console.log(`docs/images/${name}.png: ${kilobytes} KB`)
  if (kilobytes > maxKilobytes) throw new Error(`${path} is larger than ${maxKilobytes} KB`)
}

const add = (page: Page, tea: string) => page.getByRole("button", { name: `Add ${tea} to the cart` }).click()

const signIn = async (page: Page): Promise<void> => {
  await page.goto(`${origin}/sign-in`)
  await page.getByLabel("E-mail address").fill("ada@example.com")
  await page.getByLabel("Password").fill("first programmer")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.getByText("Hello, Ada").waitFor()
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
})
try {
  mkdirSync(folder, { recursive: true })
  await picture(browser, "shop", { ...desktop, colorScheme: "light" }, async (page) => {
    await add(page, "Sencha")
    await add(page, "Rooibos")
  })
  await picture(browser, "devices", { ...desktop, colorScheme: "dark" }, async (page) => {
    for (
      const userAgent of [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
      ]
    ) {
      const other = await browser.newContext({ userAgent })
      await signIn(await other.newPage())
      await other.close()
    }
    await add(page, "Oolong")
    await signIn(page)
    await page.goto(`${origin}/devices`)
  })
  await picture(browser, "phone", { ...phone, colorScheme: "light" }, async (page) => {
    await add(page, "Jasmine")
    await add(page, "Assam")
    await add(page, "Assam")
    await page.goto(`${origin}/cart`)
  })
  await picture(browser, "phone-dark", { ...phone, colorScheme: "dark" }, async (page) => {
    await add(page, "Jasmine")
  })
} finally {
  await browser.close()
  server.kill("SIGINT")
}
