#!/usr/bin/env node
/**
 * The command `effect-session`; docs/command-line.md describes it.
 *
 * @since 1.0.0
 */
import type { Io } from "./internal/cli/command.js"
import { run } from "./internal/cli/run.js"

const stdin = async (limit: number): Promise<Buffer | undefined> => {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of process.stdin) {
    length += (chunk as Buffer).length
    if (length > limit) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

const io: Io = {
  env: process.env,
  stdin,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`)
}

// What the library logs is no part of a command's output.
globalThis.console.log = globalThis.console.error

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", () => undefined)

process.exitCode = await run(io, process.argv.slice(2))
process.stdin.destroy()
