import { describe, expect, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Programs from "../scripts/examples/programs.js"
import * as QuickStart from "../scripts/examples/quickStart.js"
import { describeWith, redis } from "./services.js"
import { root } from "./support/example.js"

/** A program in a process of its own, on a port that is free. */
const start = async (directory: string, program: string, env: Record<string, string> = {}) => {
  expect(program).toContain("port: 3000")
  const file = Path.join(directory, "server.ts")
  await Fs.writeFile(file, program.replace("port: 3000", "port: 0"))
  const child = spawn(process.execPath, ["--import", "tsx", file], { cwd: root, env: { ...process.env, ...env } })
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
    stop: () => {
      child.kill("SIGINT")
      return exited
    }
  }
}

const readme = await Fs.readFile(Path.join(root, "README.md"), "utf8")
const { packages, program, requests } = QuickStart.read(readme, 3)

/** Starts the program, sends the requests that the README shows, and returns the answers that are other ones. */
const tryOut = async (program: string, env: Record<string, string> = {}, sessions = "") => {
  await Fs.mkdir(Path.join(root, ".examples"), { recursive: true })
  const directory = await Fs.mkdtemp(Path.join(root, ".examples", "quickstart-"))
  await Fs.writeFile(Path.join(directory, "sessions.ts"), sessions)
  const { origin, stop } = await start(directory, program, env)
  try {
    return await QuickStart.visit(origin, requests)
  } finally {
    expect(await stop()).toBe(0)
    await Fs.rm(directory, { recursive: true })
  }
}

describe("the README's quick start", () => {
  it(
    "C2: the first program runs as it is printed, counts visits and signs in and out, as the README's requests show",
    async () => {
      expect(requests.map(({ path }) => path)).toEqual(["/", "/", "/sign-in", "/account", "/sign-out", "/account"])
      expect(await tryOut(program)).toEqual([])
    },
    120_000
  )

  it("says so when an answer is another one", async () => {
    const wrong = program.replace("(n) => n + 1", "(n) => n + 2")
    expect(await tryOut(wrong)).toEqual([
      "GET /: \"visit 2\", not \"visit 1\"",
      "GET /: \"visit 4\", not \"visit 2\"",
      "GET /account: \"ada, after 4 visits\", not \"ada, after 2 visits\""
    ])
  }, 120_000)

  it("names the file that npm pack makes, and the packages that the package asks for", async () => {
    const manifest = JSON.parse(await Fs.readFile(Path.join(root, "package.json"), "utf8"))
    expect(packages).toEqual([
      `./effect-session-${manifest.version}.tgz`,
      `"effect@${manifest.peerDependencies.effect}"`,
      `"@effect/platform@${manifest.peerDependencies["@effect/platform"]}"`,
      `"@effect/platform-node@${manifest.devDependencies["@effect/platform-node"]}"`,
      "tsx"
    ])
    const edition4 = JSON.parse(await Fs.readFile(Path.join(root, "effect4/package.json"), "utf8"))
    expect(QuickStart.read(readme, 4).packages[0]).toBe(`./effect-session-${edition4.version}.tgz`)
  })
})

describeWith(redis, "the README's second step", () => {
  const [, ...layers] = Programs.inMarkdown("README.md", readme).programs
  const [, importLine] = /add `(import [^`]+)`/.exec(readme) ?? []
  const env = { REDIS_URL: redis.url, SESSION_SECRET: randomBytes(32).toString("base64"), NODE_ENV: "production" }

  for (const [index, name] of ["Redis", "encrypted cookies"].entries()) {
    it(`C2: the same program goes on with ${name}, with the settings in the environment`, async () => {
      expect(layers).toHaveLength(2)
      expect(program).toContain("SessionStore.layerDevelopment()")
      const changed = `${importLine}\n${program.replace("SessionStore.layerDevelopment()", "SessionsLive")}`
      expect(await tryOut(changed, env, layers[index].text)).toEqual([])
    }, 120_000)
  }
})
