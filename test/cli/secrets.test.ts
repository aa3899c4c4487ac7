/**
 * What every command prints, searched for keys, sealed values, the values of sessions, and passwords of databases.
 */
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { SessionBackend } from "effect-session"
import * as SqlStore from "effect-session/SessionStore/Sql"
import { randomBytes } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { data, freshId, ownerOf, session } from "../../src/internal/contract/records.js"
import { expectNoSecret, keep, keepKey, marked, write } from "../support/secrets.js"
import { type Call, call, folder, type Outcome, sealed, start } from "./given.js"

// the programs take a while to load on a busy machine
vi.setConfig({ testTimeout: 120_000 })

const value = marked("value")
const key = randomBytes(64)
const [secret, older, strange] = [0, 1, 2].map(() => randomBytes(32).toString("base64"))
keep(value, secret, older, strange)
keepKey(key)

const env = { SESSION_SECRET: secret, SESSION_PREVIOUS_SECRET_1: older }

const noted = (name: string, { code, err, out }: Outcome): Outcome => {
  write(`${name}: standard output`, out)
  write(`${name}: standard error`, err)
  return { code, err, out }
}

/** Calls the command in this process, and notes what it prints. */
const run = async (args: ReadonlyArray<string>, given: Call = {}): Promise<Outcome> =>
  noted(args[0], await call(args, given))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const yaml = (cookie: ReadonlyArray<string>): string =>
  ["request_context:", "  session_store:", "    type: Cookie", "    value:", ...cookie.map((line) => `      ${line}`)]
    .join("\n")

describe("what the command line prints", () => {
  it("W2: keygen prints its key once, and check, inspect and rotate print none, whatever is wrong", async () => {
    for (const args of [[], ["--format", "yaml"], ["--format", "env"]]) {
      const { code, err, out } = await call(["keygen", ...args])
      const made = out.match(/[\w+/-]{43}=?/g)
      expect([args, code, made?.length]).toEqual([args, 0, 1])
      keep(made![0].replace(/=$/, ""))
      write("keygen: standard error", err)
    }

    const files = {
      good: file("good.yaml", yaml([`secret: "${secret}"`, `previous_secrets: ["${older}"]`])),
      bytes: file("bytes.yaml", yaml([`private_key: [${[...key].join(", ")}]`])),
      wrong: file(
        "wrong.yaml",
        yaml([`secret: ["${secret}"]`, `"${older}": 1`, `next_secret: "${strange.slice(0, 30)}"`])
      ),
      torn: file("torn.yaml", yaml([`secret: "${secret}`])),
      env: file("good.env", `SESSION_SECRET=${secret}\nSESSION_PREVIOUS_SECRET_1=${older}\n`),
      wrongEnv: file("wrong.env", `SESSION_SECRET=${secret.slice(0, 20)}\nSESSION_NEXT_SECRET=${older}\n${strange}\n`)
    }
    keep(strange.slice(0, 30), secret.slice(0, 20))
    for (const path of [files.good, files.bytes, files.wrong, files.torn]) await run(["check", "--file", path])
    for (const path of [files.env, files.wrongEnv, files.good]) await run(["check", "--env-file", path])
    await run(["check", "--env"], { env })
    await run(["check", "--env"], { env: { SESSION_SECRET: older.slice(0, 20), SESSION_EXPIRY: secret } })
    keep(older.slice(0, 20))
    // a secret in the wrong place
    for (const args of [[secret], ["check", secret], ["check", `--${secret}`], ["keygen", "--format", secret]]) {
      expect((await run(args)).code).toBe(2)
    }

    const tokens = await Promise.all([
      sealed(secret, Date.now(), { user: JSON.stringify(value) }),
      sealed(older),
      sealed(strange),
      sealed(secret, 0)
    ])
    const [token] = tokens
    keep(...tokens, token.slice(0, -4))
    for (const stdin of [...tokens, token.slice(0, -4), `${token}!`, `Cookie: a=${token}`, `__Host-session=${token}`]) {
      await run(["inspect"], { env, stdin })
      await run(["inspect", "--file", files.bytes], { stdin })
      await run(["inspect", "--file", files.wrong], { stdin })
    }
    expect((await run(["inspect"], { env, stdin: token })).out).toContain(value)

    for (const path of [files.wrong, files.torn, files.wrongEnv]) {
      expect((await run(["rotate", "add", "--file", path])).code).toBe(1)
    }
    for (const path of [files.good, files.bytes, files.env]) {
      for (const step of ["promote", "add", "add", "promote"]) {
        await run(["rotate", step, "--file", path])
        for (const [made] of readFileSync(path, "utf8").matchAll(/[\w+/-]{43}=?/g)) keep(made.replace(/=$/, ""))
      }
    }

    // the programs, with what the runtime itself may write
    const cwd = folder
    noted("check", await start(["check", "--file", files.wrong], { cwd }))
    noted("inspect", await start(["inspect"], { cwd, env, stdin: token }))
    noted("rotate", await start(["rotate", "add", "--file", files.torn], { cwd }))

    // inspect is there to show the values of a session
    expectNoSecret((where, each) => where === "inspect: standard output" && each === value)
  })

  it("W6: sessions prints neither the values of sessions nor the URL of the database, whatever is wrong", async () => {
    const password = marked("password")
    keep(password)
    const filename = join(folder, "secrets.db")
    const table = { table: "secret_sessions" }
    const id = freshId()
    const fill = Effect.gen(function*() {
      const index = yield* SessionBackend.SubjectIndex
      const { owner: _, ...rest } = session(Date.now(), { data: data({ cart: value }) })
      yield* index.insert(id, { ...rest, owner: ownerOf("ada", Date.now()) }, Date.now(), undefined)
    })
    await Effect.runPromise(
      Effect.zipRight(SqlStore.createTable(table), Effect.provide(fill, SqlStore.layerBackend(table))).pipe(
        Effect.provide(SqliteClient.layer({ filename }))
      )
    )
    const sessions = (url: string, ...args: ReadonlyArray<string>) =>
      run(["sessions", ...args, "--table", table.table], { env: { SESSION_STORE_URL: url } })
    const listed = await sessions(`sqlite:${filename}`, "list", "--subject", "ada")
    expect([listed.code, listed.out.includes(id)]).toEqual([0, true])
    for (
      const args of [
        ["count"],
        ["list", "--subject", "ada", "--json"],
        ["revoke", "--subject", "eve", "--id", id],
        ["purge"],
        ["revoke", "--subject", "ada", "--all"]
      ]
    ) await sessions(`sqlite:${filename}`, ...args)
    // no table, no file, no server, and no database that anybody knows
    await run(["sessions", "count", "--table", "absent"], { env: { SESSION_STORE_URL: `sqlite:${filename}` } })
    for (
      const url of [
        `sqlite:/nowhere/${password}/sessions.db`,
        `mongodb://:${password}@127.0.0.1:1`,
        `postgres://user:${password}@[wrong`,
        password
      ]
    ) await sessions(url, "count")
    const cwd = folder
    for (const scheme of ["redis", "postgres", "mysql"]) {
      const url = `${scheme}://user:${password}@127.0.0.1:1/db`
      const { code } = noted("sessions", await start(["sessions", "count"], { cwd, env: { SESSION_STORE_URL: url } }))
      expect([scheme, code]).toEqual([scheme, 1])
    }
    expectNoSecret()
  })
})
