import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { KeyRing } from "effect-session"
import { PrivateCookie, SessionConfig } from "effect-session"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { parse } from "yaml"
import { call, folder, start } from "./given.js"

const newSecret = () => randomBytes(32).toString("base64")

let files = 0
const file = (text: string | Buffer, name = "config.yaml") => {
  const own = join(folder, String(files++))
  mkdirSync(own)
  const path = join(own, name)
  writeFileSync(path, text)
  return path
}

const yaml = (value: string, more = "") =>
  `# the app
server:
  port: 3000 # outside of the block
request_context:
  # sessions
  session_config:
    expiry: 3600   # an hour
${more}  session_store:
    type: Cookie
    value:
${value}
features: [a,   b] # stays as well
`

const valueOf = (path: string) => parse(readFileSync(path, "utf8")).request_context.session_store.value

const ringOf = async (path: string) => {
  const { store } = await Effect.runPromise(SessionConfig.fromYaml(readFileSync(path, "utf8")))
  return store.type === "Cookie" ? store.keys : undefined
}

const opens = (ring: KeyRing.KeyRing, sealing: KeyRing.KeyRing) =>
  Option.isSome(PrivateCookie.open(ring, "n", PrivateCookie.unsafeSeal(sealing, "n", "v")))

describe("effect-session", () => {
  it("W1: the help names every command, each command has its own, and a wrong call ends with 2", async () => {
    const help = await call(["--help"])
    expect([help.code, help.err]).toEqual([0, ""])
    for (const name of ["keygen", "check", "inspect", "rotate", "sessions"]) {
      expect(help.out).toContain(`  ${name} `)
      const own = await call([name, "--help"])
      expect([own.code, own.err, own.out.startsWith(`effect-session ${name}`)]).toEqual([0, "", true])
    }
    const secret = newSecret()
    const wrong = [
      [],
      ["constructor"],
      [secret],
      ["keygen", secret],
      ["keygen", "--format", secret],
      ["keygen", `--${secret}`],
      ["check", "--file"],
      ["check", "--env", "--file", "x.yaml"],
      ["inspect", secret],
      ["rotate"],
      ["rotate", "again"],
      ["rotate", "add", "--last-day", "2030-01-01"],
      ["sessions"],
      ["sessions", "list"],
      ["sessions", "count", "--subject", "ada"],
      ["sessions", "revoke", "--subject", "ada"],
      ["sessions", "revoke", "--subject", "ada", "--all", "--id", "x"],
      ["sessions", "count"],
      ["sessions", "count", "--url-from", `redis://:${secret}@localhost`]
    ]
    for (const args of wrong) {
      const { code, err, out } = await call(args)
      expect([code, args.length === 0 || err !== ""], args.join(" ")).toEqual([2, true])
      expect(err + out).not.toContain(secret)
    }
  })

  it("W1: the program passes on the exit code, and keeps mistakes out of its standard output", async () => {
    const version = await start(["keygen"], { cwd: folder })
    expect([version.code, version.err]).toEqual([0, ""])
    expect(version.out).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
    const wrong = await start(["check"], { cwd: folder })
    expect([wrong.code, wrong.out]).toEqual([1, ""])
    expect(wrong.err).toContain("config/development.yaml is not there")
  })

  it("W2: keygen makes a new secret of 256 bits each time, in a form that the app reads", async () => {
    const first = await call(["keygen"])
    const second = await call(["keygen", "--format", "base64"])
    expect(Buffer.from(first.out, "base64")).toHaveLength(32)
    expect(second.out).not.toBe(first.out)
    const block = await call(["keygen", "--format", "yaml"])
    const indented = block.out.split("\n").map((line) => `  ${line}`).join("\n")
    expect((await call(["check", "--file", file(`request_context:\n${indented}\n`)])).code).toBe(0)
    const lines = await call(["keygen", "--format", "env"])
    expect((await call(["check", "--env-file", file(lines.out, ".env")])).code).toBe(0)
  })

  it("W3: check prints every mistake of a file and of the environment, with its path and without a value", async () => {
    const secret = newSecret().slice(0, 20)
    const path = file(
      yaml(`      secret: "${secret}"\n      ${secret.replaceAll(/[^a-z]/gi, "x")}1: true`, "    expires: 1\n")
    )
    const inFile = await call(["check", "--file", path])
    expect(inFile.code).toBe(1)
    expect(inFile.out).toBe("")
    for (
      const each of ["session_config.expires", "session_store.value.secret", "session_store.value: has an unknown key"]
    ) {
      expect(inFile.err).toContain(`${path}: request_context.${each}`)
    }
    expect(inFile.err).not.toContain(secret)
    const env = { SESSION_STORE: "Cookie", SESSION_SECRET: secret, SESSION_EXPIRY: "-1" }
    const inEnvironment = await call(["check", "--env"], { env })
    expect(inEnvironment.code).toBe(1)
    expect(inEnvironment.err.split("\n").map((line) => line.split(": ", 2).join(": ")).sort())
      .toEqual(["the environment: SESSION_EXPIRY", "the environment: SESSION_SECRET"])
    expect(inEnvironment.err).not.toContain(secret)

    const cwd = join(folder, String(files++))
    mkdirSync(join(cwd, "config"), { recursive: true })
    writeFileSync(join(cwd, "config/staging.yaml"), yaml("      secret: short"))
    const both = await start(["check"], { cwd, env: { ...env, NODE_ENV: "staging" } })
    expect([both.code, both.out]).toEqual([1, ""])
    expect(both.err).toContain("config/staging.yaml: request_context.session_store.value.secret")
    expect(both.err).toContain("the environment: SESSION_EXPIRY")
  })

  it("W3: check says what it found where there is no mistake, and warns of what an app would warn of", async () => {
    const path = file(yaml(
      `      secret: "${newSecret()}"
      previous_secrets:
        - secret: "${newSecret()}"
          last_day: 2020-12-31`,
      "    secure: false\n"
    ))
    const checked = await call(["check", "--file", path], { env: { NODE_ENV: "production" } })
    expect([checked.code, checked.out]).toEqual([0, `${path}: no mistakes (Cookie, cookie session, 2 keys)`])
    expect(checked.err).toContain("not Secure")
    expect(checked.err).toContain("the last day of a previous key is over (2020-12-31)")
    for (const [text, message] of [[Buffer.from([0xff, 0xfe, 0, 1]), "is not UTF-8"], ["", "is empty"]] as const) {
      const broken = file(text)
      const { code, err } = await call(["check", "--file", broken])
      expect([code, err.includes(message)]).toEqual([1, true])
    }
    const absent = await call(["check", "--file", join(folder, "absent.yaml")])
    expect([absent.code, absent.err.includes("ENOENT")]).toEqual([1, true])
  })
})

describe("effect-session rotate", () => {
  it("W5: the two steps in a YAML file change the keys alone, and every instance opens what the others seal", async () => {
    const secret = newSecret()
    const path = file(yaml(`      # whoever has it can forge sessions\n      secret: "${secret}" # in use`))
    chmodSync(path, 0o640)
    const rings = [(await ringOf(path))!]
    const shown: Array<string> = []
    for (const step of ["add", "promote"]) {
      const { code, err, out } = await call(["rotate", step, "--file", path])
      expect([code, err]).toEqual([0, ""])
      shown.push(out)
      rings.push((await ringOf(path))!)
      if (step === "add") {
        expect(Object.keys(valueOf(path))).toEqual(["secret", "next_secret"])
        shown.push(valueOf(path).next_secret)
      }
    }
    const [line, next, promoted] = shown
    expect(`${line}${promoted}`).not.toContain(secret)
    expect(`${line}${promoted}`).not.toContain(next)
    const lastDay = new Date(Date.now() + 31 * 24 * 60 * 60 * 1000).toISOString().slice(0, 10)
    expect(valueOf(path)).toEqual({ secret: next, previous_secrets: [{ secret, last_day: lastDay }] })
    for (const [i, j] of [[0, 1], [1, 0], [1, 2], [2, 1]]) expect(opens(rings[i], rings[j]), `${i} ${j}`).toBe(true)
    expect(opens(rings[0], rings[2])).toBe(false)

    const text = readFileSync(path, "utf8")
    for (
      const kept of [
        "# the app",
        "port: 3000 # outside of the block",
        "# sessions",
        "expiry: 3600 # an hour",
        "# whoever has it can forge sessions",
        "# in use",
        "# stays as well"
      ]
    ) expect(text).toContain(kept)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    expect(readdirSync(join(path, ".."))).toEqual(["config.yaml"])
  })

  it("W5: a file under server.middlewares, with bytes as its key, and behind a link is changed in its place", async () => {
    const key = randomBytes(64).toString("base64")
    const path = file(
      `server:\n  middlewares:\n    request_context:\n      session_store: { type: Cookie, value: { private_key: !!binary "${key}", previous_keys: [ !!binary "${
        randomBytes(64).toString("base64")
      }" ] } }\n`
    )
    const link = `${path}.yml`
    symlinkSync(path, link)
    expect((await call(["rotate", "add", "--file", link])).code).toBe(0)
    expect((await call(["rotate", "promote", "--no-last-day", "--file", link])).code).toBe(0)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    const { value } = parse(readFileSync(path, "utf8")).server.middlewares.request_context.session_store
    expect([Object.keys(value), value.previous_keys.length]).toEqual([["secret", "previous_keys"], 2])
    expect(Buffer.from(value.previous_keys[0]).toString("base64")).toBe(key)
  })

  it("W5: the two steps in a file of variables rename them, and leave every value as it is written", async () => {
    const secret = newSecret()
    const path = file(
      `# SESSION_SECRET= is explained here\nexport SESSION_SECRET='${secret}' # in use\nSESSION_PREVIOUS_SECRET_1=${newSecret()}\nOTHER="two\nlines"\n`,
      ".env"
    )
    chmodSync(path, 0o600)
    expect((await call(["rotate", "add", "--file", path])).code).toBe(0)
    const next = parseEnv(readFileSync(path, "utf8"))["SESSION_NEXT_SECRET"]
    const promoted = await call(["rotate", "promote", "--last-day", "2999-12-31", "--file", path])
    expect([promoted.code, promoted.out.includes(next!)]).toEqual([0, false])
    const text = readFileSync(path, "utf8")
    expect(text).toContain(`export SESSION_PREVIOUS_SECRET_2='${secret}' # in use`)
    expect(parseEnv(text)).toMatchObject({
      SESSION_SECRET: next,
      SESSION_PREVIOUS_SECRET_2: secret,
      SESSION_PREVIOUS_SECRET_2_LAST_DAY: "2999-12-31",
      OTHER: "two\nlines"
    })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it("W5: a file in which something is wrong, or that is not at this step, stays as it is to the byte", async () => {
    const [one, two] = [newSecret(), newSecret()]
    const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
      [yaml(`      secret: "${one}"`), "config.yaml", ["promote"]],
      [yaml(`      secret: "${one}"\n      next_secret: "${two}"`), "config.yaml", ["add"]],
      [yaml(`      secret: "${one}"\n      unknown: 1`), "config.yaml", ["add"]],
      [yaml(`      secret: "${one}"\n      next_secret: "${two}"`), "config.yaml", [
        "promote",
        "--last-day",
        "2020-01-01"
      ]],
      [
        yaml(
          `      secret: "${one}"\n      previous_secrets: [${
            Array.from({ length: 7 }, newSecret).map((each) => `"${each}"`).join(", ")
          }]`
        ),
        "config.yaml",
        ["add"]
      ],
      ["request_context: { session_store: { type: Memory } }\n", "config.yaml", ["add"]],
      [`SESSION_SECRET=${one}\nSESSION_SECRET=${two}\n`, ".env", ["add"]],
      [`SESSION_SECRET=${one}\n`, ".env", ["promote"]],
      ["OTHER=1\n", ".env", ["add"]],
      [`A="\nSESSION_SECRET=x\n"\n`, ".env", ["add"]],
      [`SESSION_SECRET=${one}\nSESSION_NEXT_SECRET=${two}\n`, ".env", ["add"]]
    ]
    for (const [text, name, args] of cases) {
      const path = file(text, name)
      const { code, err, out } = await call(["rotate", ...args, "--file", path])
      expect([code === 0, out], args.join(" ") + text).toEqual([false, ""])
      expect(readFileSync(path, "utf8")).toBe(text)
      expect(err).not.toContain(one)
      expect(readdirSync(join(path, ".."))).toEqual([name])
    }
  })
})
