import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { KeyRing, PrivateCookie } from "effect-session"
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { call, folder, sealed, signedIn, start } from "./given.js"

const secret = randomBytes(32).toString("hex")
const older = randomBytes(32).toString("hex")
const name = "__Host-session"
const day = 24 * 60 * 60 * 1000

const env = { SESSION_SECRET: secret, SESSION_PREVIOUS_SECRET_1: older }

describe("effect-session inspect", () => {
  it("W4: shows what a sealed session holds and when it ends, from a value or from a whole header", async () => {
    const token = await sealed(secret, Date.now(), { user: "\"ada\"", "evil\u001b[2J": "\"\u009b31m\"" })
    const inputs = [
      token,
      `${token}\n`,
      encodeURIComponent(token),
      `${name}=${token}`,
      `a=b; ${name}="${token}"; c=d`,
      `Cookie: a=b; ${name}=${token}\r\n`,
      `set-cookie: ${name}=${token}; Path=/; Secure`
    ]
    for (const stdin of inputs) {
      const { code, err, out } = await call(["inspect"], { env, stdin })
      expect([code, err.includes("is secret")], stdin.slice(0, 20)).toEqual([0, true])
      expect(out).toMatch(/^opens\nsealed with: the key that seals\nid: [\w-]{22}\ncreated: \d{4}-/)
      expect(out).toContain("  \"user\": \"ada\"")

      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
      expect(err).not.toContain("ada")
    }
    const two = await call(["inspect"], { env, stdin: `${name}=${token}; ${name}=${await sealed(older)}` })
    expect(two.out).toContain("value 2 of 2")
    expect(two.out).toContain("sealed with: key 2, which only opens")
  })

  it("W4: shows who signed in with the seal of a store that can revoke, and when", async () => {
    const authenticatedAt = Date.now() - day
    const token = await signedIn(secret, { subject: "ada\u001b[2J", authenticatedAt }, { user: "\"ada\"" })
    const { code, out } = await call(["inspect"], { env, stdin: token })
    expect(code, out).toBe(0)
    expect(out).toMatch(/^opens\n/)
    expect(out).toContain("subject: \"ada\\u001b[2J\"\n")
    expect(out).toContain(`signed in: ${new Date(authenticatedAt).toISOString()} (unless it was revoked`)
    expect(out).toContain("\"user\": \"ada\"")
    const expired = await signedIn(secret, { subject: "ada", authenticatedAt }, {}, Date.now() - 40 * day)
    expect((await call(["inspect"], { env, stdin: expired })).code).toBe(1)
  })

  it("W4: says why a value does not open, and ends with 1", async () => {
    const token = await sealed(secret)
    const ring = await Effect.runPromise(KeyRing.derive(secret))
    const last = { SESSION_PREVIOUS_SECRET_1_LAST_DAY: "2020-01-01" }
    const cases: ReadonlyArray<readonly [string | Buffer, string, Record<string, string>?, ReadonlyArray<string>?]> = [
      [await sealed(randomBytes(32).toString("hex")), "no key of the configuration"],
      [token, "no key of the configuration", {}, ["--name", "other"]],
      [`${token.slice(0, 40)}${token[40] === "A" ? "B" : "A"}${token.slice(41)}`, "no key of the configuration"],
      [await sealed(older), "the last day of its key is over (2020-01-01)", last],
      [await sealed(secret, Date.now() - 40 * day), "the session has expired"],
      [token, "another audience", { SESSION_AUDIENCE: "shop" }],
      [PrivateCookie.unsafeSeal(ring, name, "text"), "not a session of this library"],
      [token.replace(/=*$/, "!"), "not a sealed value"],
      ["x", "not a sealed value"],
      [`other=${token}`, `no cookie of the name ${name}`],
      ["Cookie: a=b", `no cookie of the name ${name}`],
      ["", "is empty"],
      [randomBytes(3000), ""],
      [Buffer.alloc(65 * 1024, 0x41), "more than 65536 bytes"],
      [`${name}=%zz`, ""]
    ]
    for (const [stdin, message, more = {}, args = []] of cases) {
      const { code, err, out } = await call(["inspect", ...args], { env: { ...env, ...more }, stdin })
      expect([code, `${out}\n${err}`.includes(message)], `${message}\n${out}\n${err}`).toEqual([1, true])
      for (const each of [secret, older, token]) expect(out + err).not.toContain(each)
    }
  })

  it("W4: needs a key, from the environment or from a file, and reads no key from the command line", async () => {
    const token = await sealed(secret)
    const none = await call(["inspect"], { stdin: token })
    expect([none.code, none.err.includes("the environment: SESSION_PRIVATE_KEY: is missing")]).toEqual([1, true])
    const short = await call(["inspect"], { stdin: token, env: { SESSION_SECRET: "too-short-secret" } })
    expect([short.code, short.err.includes("too-short-secret")]).toEqual([1, false])
    const path = join(folder, "keys.yaml")
    writeFileSync(path, `request_context: { session_store: { type: Cookie, value: { secret: "${secret}" } } }\n`)
    expect((await call(["inspect", "--file", path], { stdin: token })).code).toBe(0)
    writeFileSync(path, "request_context: { session_store: { type: Memory } }\n")
    const memory = await call(["inspect", "--file", path], { stdin: token })
    expect([memory.code, memory.err.includes("seals no cookies")]).toEqual([1, true])
  })

  it("W4: the program reads a pipe, and ends although a stream without an end is behind it", async () => {
    const token = await sealed(secret)
    const opened = await start(["inspect"], { cwd: folder, env, stdin: token })
    expect([opened.code, opened.out.startsWith("opens\n")]).toEqual([0, true])
    const huge = await start(["inspect"], { cwd: folder, env, stdin: Buffer.alloc(20 * 1024 * 1024, 0x41) })
    expect([huge.code, huge.out]).toEqual([1, ""])
    expect(huge.err).toContain("more than 65536 bytes")
  })
})
