/** Two instances of an app, each in a process of its own, that share nothing but the store of revocations and the key. */
import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Path from "node:path"
import { onTestFinished } from "vitest"
import { cookieOf } from "../support/counting.js"
import { nodeOptions } from "../support/nodeOptions.js"
import { describeSharedStores } from "../support/sharedStores.js"
import type { Place } from "../support/storeAt.js"

const worker = Path.resolve(import.meta.dirname, "worker.ts")
const secret = "a secret of these tests, which is long enough"

/** Sends requests to an instance of its own. */
const instance = async (place: Place) => {
  const child = spawn(process.execPath, [...nodeOptions, worker, JSON.stringify([place, secret])])
  onTestFinished(() => void child.kill())
  let errors = ""
  child.stderr.on("data", (data) => errors += String(data))
  const port = await Promise.race([
    once(child.stdout, "data").then(([data]) => String(data).trim()),
    once(child, "exit").then(([code]) => {
      throw new Error(`the process ended with ${code}\n${errors}`)
    })
  ])
  return (method: string, path: string, cookie = "") =>
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { cookie } })
}

describeSharedStores((newPlace) =>
  describe("two processes that share a store of revocations", () => {
    it(
      "V8: what one process ends is over in the other, and of renewals and logouts in both at once one is the first",
      async () => {
        const place = newPlace()
        const [one, other] = [await instance(place), await instance(place)]
        const me = async (cookie: string) =>
          Promise.all([one, other].map(async (ask) => (await ask("GET", "/me", cookie)).text()))
        const signIn = async (subject: string) => cookieOf(await one("POST", `/sign-in/${subject}`))

        const out = await signIn("ada")
        expect(await me(out)).toEqual(["ada", "ada"])
        expect((await one("POST", "/sign-out", out)).status).toBe(200)
        expect(await me(out)).toEqual(["nobody", "nobody"])

        const streamed = await signIn("ada")
        expect(await (await other("POST", "/stream/sign-out", streamed)).text()).toBe("over")
        expect(await me(streamed)).toEqual(["nobody", "nobody"])

        const [current, elsewhere] = [await signIn("ada"), await signIn("ada")]
        expect((await other("POST", "/revoke-others/ada", current)).status).toBe(200)
        expect([await me(current), await me(elsewhere)]).toEqual([["ada", "ada"], ["nobody", "nobody"]])
        expect((await one("POST", "/revoke/ada")).status).toBe(200)
        expect(await me(current)).toEqual(["nobody", "nobody"])
        expect(await me(await signIn("ada"))).toEqual(["ada", "ada"])

        for (let round = 0; round < 4; round++) {
          const cookie = await signIn("eve")
          const renewals = await Promise.all(
            [one, other, one, other].map(async (ask) => cookieOf(await ask("POST", "/renew", cookie)))
          )
          const [renewed, ...others] = renewals.filter((sent) => sent !== "")
          expect(others).toEqual([])
          expect([await me(cookie), await me(renewed)]).toEqual([["nobody", "nobody"], ["eve", "eve"]])
          const raced = await Promise.all([
            one("POST", "/renew", renewed),
            other("POST", "/sign-out", renewed)
          ])
          expect(raced.map(({ status }) => status)).toEqual([200, 200])
          for (const sent of [renewed, cookieOf(raced[0])]) expect(await me(sent)).toEqual(["nobody", "nobody"])
        }
      },
      120_000
    )
  })
)
