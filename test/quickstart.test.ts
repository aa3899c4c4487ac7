import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Programs from "../scripts/examples/programs.js"
import { root } from "./support/example.js"

/** The first program of the README, on a port that is free, in a process of its own. */
const startReadmeProgram = async (directory: string) => {
  const readme = await Fs.readFile(Path.join(root, "README.md"), "utf8")
  const [{ text }] = Programs.inMarkdown("README.md", readme, 3).programs
  expect(text).toContain("port: 3000")
  const file = Path.join(directory, "server.ts")
  await Fs.writeFile(file, text.replace("port: 3000", "port: 0"))
  const child = spawn(process.execPath, ["--import", "tsx", file], { cwd: root })
  const exited = new Promise<number | null>((resolve) => child.on("exit", resolve))
  const origin = await new Promise<string>((resolve, reject) => {
    let output = ""
    const look = (data: Buffer) => {
      output += String(data)
      const port = /Listening on http:\/\/[^\s]*:(\d+)/.exec(output)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    }
    child.stdout.on("data", look)
    child.stderr.on("data", look)
    void exited.then((code) => reject(new Error(`the program ended with ${code}: ${output}`)))
  })
  return {
    origin,
    readme,
    stop: () => {
      child.kill("SIGINT")
      return exited
    }
  }
}

describe("the README's quick start", () => {
  it("C2: the first program runs as it is printed, and answers the requests that the README sends", async () => {
    await Fs.mkdir(Path.join(root, ".examples"), { recursive: true })
    const directory = await Fs.mkdtemp(Path.join(root, ".examples", "quickstart-"))
    const { origin, readme, stop } = await startReadmeProgram(directory)
    try {
      expect(readme).toContain("curl -c jar -b jar -X POST http://127.0.0.1:3000/session ")
      const posted = await fetch(`${origin}/session`, { method: "POST" })
      expect([posted.status, await posted.text()]).toEqual([200, "turing"])
      const [cookie] = posted.headers.getSetCookie()
      expect(cookie).not.toMatch(/Secure/i) // plain HTTP: curl and every browser send it back
      expect(readme).toContain("curl -c jar -b jar http://127.0.0.1:3000/session ")
      const got = await fetch(`${origin}/session`, { headers: { cookie: cookie.split(";")[0] } })
      expect([got.status, await got.text()]).toEqual([200, "turing"])
    } finally {
      expect(await stop()).toBe(0)
      await Fs.rm(directory, { recursive: true })
    }
  }, 120_000)
})
