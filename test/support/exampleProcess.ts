import { spawn } from "node:child_process"
import { root } from "./example.js"

export interface Running {
  /** The addresses that it has logged, in their order. */
  readonly origins: ReadonlyArray<string>
  readonly output: () => string
  readonly stop: () => Promise<number | null>
}

const spawnExample = (name: string, env: Record<string, string>) => {
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/example.ts", name], {
    cwd: root,
    env: { ...process.env, NODE_ENV: "development", PORT: "0", HOST: "127.0.0.1", ...env }
  })
  let output = ""
  const listeners = new Set<() => void>()
  const look = (data: Buffer) => {
    output += String(data)
    for (const listener of listeners) listener()
  }
  child.stdout.on("data", look)
  child.stderr.on("data", look)
  const exited = new Promise<number | null>((done) => child.on("exit", done))
  return { child, exited, listeners, output: () => output }
}

/** `npm run example -- <name>`, in a process of its own, when it has logged where it listens. */
export const startExample = (name: string, env: Record<string, string> = {}, addresses = 1): Promise<Running> =>
  new Promise((resolve, reject) => {
    const { child, exited, listeners, output } = spawnExample(name, env)
    listeners.add(() => {
      const origins = [...output().matchAll(/http:\/\/127\.0\.0\.1:\d+/g)].map(([origin]) => origin)
      if (origins.length < addresses) return
      resolve({
        origins,
        output,
        stop: () => {
          child.kill("SIGINT")
          return exited
        }
      })
    })
    void exited.then((code) => reject(new Error(`the example ended with ${code}: ${output()}`)))
  })

/** Runs a file of an example until it ends, and returns what it has printed. */
export const runExample = async (name: string, env: Record<string, string> = {}) => {
  const { exited, output } = spawnExample(name, env)
  return { code: await exited, lines: output().trim().split("\n") }
}
