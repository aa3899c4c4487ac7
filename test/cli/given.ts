/**
 * Runs the command line: in this process, where a test needs many calls, and as a process of its own.
 */
import { Effect } from "effect"
import { KeyRing, Revocation, type SessionBackend, SessionStore } from "effect-session"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll } from "vitest"
import { run } from "../../src/internal/cli/run.js"
import { nodeOptions } from "../support/nodeOptions.js"

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Call {
  readonly stdin?: string | Buffer | undefined
  readonly env?: Record<string, string> | undefined
}

/** The command in this process. Its environment is the process's own, which is put back afterwards. */
export const call = async (args: ReadonlyArray<string>, { env = {}, stdin = "" }: Call = {}): Promise<Outcome> => {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (name.startsWith("SESSION_")) delete process.env[name]
  Object.assign(process.env, env)
  const [out, err]: [Array<string>, Array<string>] = [[], []]
  try {
    const code = await run({
      env: process.env,
      stdin: async (limit) => {
        const bytes = Buffer.from(stdin)
        return bytes.length > limit ? undefined : bytes
      },
      out: (line) => void out.push(line),
      err: (line) => void err.push(line)
    }, args)
    return { code, out: out.join("\n"), err: err.join("\n") }
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

const cli = resolve("src/cli.ts")

/** The command as a process of its own, in a folder. */
export const start = (args: ReadonlyArray<string>, { cwd, env = {}, stdin = "" }: Call & { readonly cwd: string }) =>
  new Promise<Outcome>((settle) => {
    const { NODE_ENV: _, ...rest } = process.env
    const child = spawn(process.execPath, [...nodeOptions, cli, ...args], { cwd, env: { ...rest, ...env } })
    let [out, err] = ["", ""]
    child.stdout.on("data", (data) => out += String(data))
    child.stderr.on("data", (data) => err += String(data))
    child.stdin.on("error", () => undefined) // the command need not read all of it
    child.stdin.end(stdin)
    child.on("close", (code) => settle({ code, out, err }))
  })

/** A folder for one file of tests. */
export const folder = mkdtempSync(join(tmpdir(), "effect-session-cli-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Data = Record<string, string>

/** A sealed session of a store with this secret, from this time. */
export const sealed = (by: string, at = Date.now(), data: Data = { user: "\"ada\"" }) =>
  sealedBy(by, (keys) => SessionStore.layerCookie({ keys }), undefined, data, at)

interface SignedIn {
  readonly subject: string
  readonly authenticatedAt: number
}

/** A session of somebody who has signed in, sealed by a store that can revoke. */
export const signedIn = (by: string, owner: SignedIn, data: Data, at = Date.now()) => {
  const layer = (keys: KeyRing.KeyRing) =>
    SessionStore.layerCookieRevocable({ keys }).pipe(Layer.provide(Revocation.layerMemory()))
  return sealedBy(by, layer, { ...owner, userAgent: undefined, address: undefined }, data, at)
}

const sealedBy = <E>(
  by: string,
  layer: (keys: KeyRing.KeyRing) => Layer.Layer<SessionStore.SessionStore, E>,
  owner: SessionBackend.Owner | undefined,
  data: Data,
  at: number
) =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const keys = yield* KeyRing.derive(by)
    const store = Context.get(yield* Layer.build(layer(keys)), SessionStore.SessionStore)
    const patch = {
      clear: false,
      set: new Map(Object.entries(data)),
      remove: new Set<string>(),
      expiry: undefined,
      maxBytes: 4096
    }
    const saved = yield* store.save({ base: undefined, patch, renew: false, ifVersion: undefined, owner }, at)
    return saved._tag === "Saved" ? saved.token : ""
  })))
