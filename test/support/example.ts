import { spawn } from "node:child_process"
import * as Path from "node:path"
import { nodeOptions } from "./nodeOptions.js"

/** The project's root. */
export const root = Path.resolve(import.meta.dirname, "../..")

/** The running example: `npm start`, in a process of its own. */
export interface Example {
  readonly origin: string
  readonly output: () => string
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

export const start = (env: Record<string, string>, directory = root): Promise<Example> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions, "examples/web/server.ts"], {
      cwd: directory,
      env: {
        ...process.env,
        // A copy of the example finds the library here.
        TSX_TSCONFIG_PATH: Path.join(root, "tsconfig.json"),
        NODE_ENV: "development",
        PORT: "0",
        HOST: "127.0.0.1",
        ...env
      }
    })
    let output = ""
    const exited = new Promise<number | null>((done) => child.on("exit", done))
    const look = (data: Buffer) => {
      output += String(data)
      const origin = /Open (http:\/\/127\.0\.0\.1:\d+)\//.exec(output)?.[1]
      if (origin !== undefined) {
        resolve({
          origin,
          output: () => output,
          stop: (signal = "SIGINT") => {
            child.kill(signal)
            return exited
          }
        })
      }
    }
    child.stdout.on("data", look)
    child.stderr.on("data", look)
    void exited.then((code) => reject(new Error(`the example ended with ${code}: ${output}`)))
  })
