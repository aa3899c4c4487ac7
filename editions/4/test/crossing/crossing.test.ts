/**
 * A session that one edition has written is read by the other one, in both directions. The other edition is Effect 3's, in a
 * process of its own.
 */
import { Effect, Exit, Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { describeSharedStores } from "../support/sharedStores.js"
import { type Action, type Answer, type Edition, open, type Place } from "./edition.js"

const root = resolve(import.meta.dirname, "../../..")

/** Effect 3, from the sources at the top of the repository, on the Node.js that its packages were installed with. */
const startOther = () => {
  const child = spawn(
    process.env["EFFECT_3_NODE"] ?? process.execPath,
    ["--import", "tsx", "test/crossing/worker.ts"],
    {
      cwd: root,
      stdio: ["pipe", "pipe", "inherit"]
    }
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (job: unknown): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(job)}\n`)
    const { done, value } = await lines.next()
    if (done === true) throw new Error("the other edition has ended")
    const { answer, failed } = JSON.parse(value)
    if (failed !== undefined) throw new Error(failed)
    return answer
  }
  return {
    open: async (place: Place): Promise<Edition> => {
      await ask({ place })
      return {
        visit: (action: Action, cookie: string): Promise<Answer> => ask({ action, cookie }),
        close: async () => {}
      }
    },
    stop: () => void child.kill()
  }
}

const value = {
  when: 1_700_000_000_123,
  big: "12345678901234567890",
  some: "NaN",
  none: true,
  absent: ["Ada", true, null, 86_400_000],
  undefined: ["Grace", true, 1.5e-9, 86_400_000],
  numbers: [0, -0.5, 1e21, Number.MAX_SAFE_INTEGER],
  anything: { list: [1, "two", null, { three: 3 }], "": true, nan: "NaN" },
  null: null
}

const crossings = (newPlace: () => Place, isServer: boolean): void => {
  let other: ReturnType<typeof startOther>
  beforeAll(() => {
    other = startOther()
  })
  afterAll(() => other.stop())

  const both = async (run: (from: Edition, to: Edition) => Promise<void>): Promise<void> => {
    for (const direction of [0, 1]) {
      const place = newPlace()
      const three = await other.open(place)
      const four = await open(place)
      try {
        await (direction === 0 ? run(three, four) : run(four, three))
      } finally {
        await four.close()
      }
    }
  }

  it("C1: each edition reads what the other one has written, and both store the same text", () =>
    both(async (from, to) => {
      const written = await from.visit("write", "")
      const here = await from.visit("read", written.cookie)
      const there = await to.visit("read", written.cookie)
      expect(here.body).toEqual(value)
      expect(there.body).toEqual(value)
      const again = await to.visit("write", "")
      expect(again.texts).toEqual(written.texts)
    }))

  it("C1: both editions refuse the same values", () =>
    both(async (from, to) => {
      const here = await from.visit("refuse", "")
      const there = await to.visit("refuse", "")
      expect(here.body).toEqual(there.body)
      expect(here.body).not.toContain("Success")
    }))

  it("K4: a session that one edition has changed is the same session for the other one", () =>
    both(async (from, to) => {
      const written = await from.visit("write", "")
      const signedIn = await to.visit("signIn", written.cookie)
      const renewed = await from.visit("renew", signedIn.cookie)
      expect((await to.visit("read", renewed.cookie)).body).toEqual(value)
    }))

  if (!isServer) return

  it("S7: each edition lists and ends the sessions of a subject that the other one has begun", () =>
    both(async (from, to) => {
      const first = await from.visit("signIn", "")
      const second = await to.visit("signIn", "")
      expect((await from.visit("list", "")).body).toBe(2)
      expect((await to.visit("list", "")).body).toBe(2)
      await to.visit("signOut", first.cookie)
      expect((await from.visit("list", second.cookie)).body).toBe(1)
    }))

  it("S9: an id that one edition has renewed away begins no session in the other one", () =>
    both(async (from, to) => {
      const written = await from.visit("write", "")
      const renewed = await from.visit("renew", written.cookie)
      expect(renewed.cookie).not.toBe(written.cookie)
      const late = await to.visit("read", written.cookie)
      expect(late.cookie).toBe(written.cookie)
      expect(late.body).not.toEqual(value)
      await to.visit("signOut", written.cookie)
      expect((await from.visit("read", renewed.cookie)).body).not.toEqual(value)
    }))
}

describe("sealed cookies", () => crossings(() => ({ dialect: "cookie", secret: "s".repeat(40) }), false))

describe("files", () => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const directory = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-session-crossing-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )
  crossings(() => ({ dialect: "files", directory: Effect.runSync(Scope.provide(directory, scope)) }), true)
})

describeSharedStores((newPlace) => crossings(newPlace, true))
