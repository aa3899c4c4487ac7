/**
 * Runs the command line: in this process, where a test needs many calls, and as a process of its own.
 */
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
