import { existsSync } from "node:fs"
import { type Browser, chromium } from "playwright-core"

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium"

/** Why there is no browser; empty when there is one. */
export const missing = existsSync(executablePath) ? "" : `no browser at ${executablePath}; CHROMIUM names another`

/** Whether tests of a browser are left out: not in CI, where they fail instead. */
export const isLeftOut = missing !== "" && process.env.REQUIRE_SERVICES !== "1"

/** On a busy machine, a browser takes its time. */
export const patience = 180_000

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath,
    timeout: patience,
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
