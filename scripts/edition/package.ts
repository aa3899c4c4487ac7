/**
 * Looks at the package for Effect 4 as those who install it will: packs it, lets publint and arethetypeswrong look at it,
 * installs it into an empty project with the line of docs/editions.md, and runs the program of that page.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as Size from "../package/size.js"

/** What the package takes in a `node_modules`, with a margin of a tenth. */
const maxBytes = 1_720_000

/** The first block of the page in that language. */
const blockOf = (page: string, language: string): string => {
  const found = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)
  if (found === null) throw new Error(`docs/editions.md has no block in ${language}`)
  return found[1]
}

export const checkPackage = (root: string, target: string, node: string): void => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "effect-session-edition-")))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env["PATH"] ?? ""}` }
  const run = (command: string, args: ReadonlyArray<string>, cwd = folder): string => {
    const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8", env })
    if (status === 0) return stdout
    console.error(`edition 4: ${[command, ...args].join(" ")}\n${stdout}${stderr}${error?.message ?? ""}`)
    process.exit(1)
  }
  const pack = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder]
  const packed = Size.parse(run("npm", pack, target))
  const tarball = packed.filename
  const [problem] = Size.problemsOf(packed, maxBytes)
  if (problem !== undefined) {
    console.error(`edition 4: ${problem}`)
    process.exit(1)
  }
  const tools = join(root, "node_modules")
  run(process.execPath, [join(tools, "publint/src/cli.js"), "run", tarball, "--strict"])
  run(process.execPath, [
    join(tools, "@arethetypeswrong/cli/dist/index.js"),
    tarball,
    "--profile",
    "esm-only",
    "--no-emoji",
    "--no-color"
  ])

  const page = readFileSync(join(root, "docs/editions.md"), "utf8")
  const [line] = /^npm i effect .*$/m.exec(blockOf(page, "sh")) ?? []
  if (line === undefined) throw new Error("docs/editions.md does not say how to install the package for Effect 4")
  writeFileSync(join(folder, "package.json"), "{ \"type\": \"module\" }\n")
  // The package is not in a registry yet: its pack takes the place of its name.
  const packages = line.slice("npm i ".length).split(" ").map((name) =>
    name === "effect-session" ? `./${tarball}` : name
  )
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packages])
  writeFileSync(join(folder, "server.ts"), blockOf(page, "ts effect-4").replace("port: 3000", "port: 0"))
  run(process.execPath, [
    join(target, "node_modules/typescript/bin/tsc"),
    ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"],
    ...["--skipLibCheck", "--types", "node", "--typeRoots", join(target, "node_modules/@types"), "server.ts"]
  ])
  visit(node, folder)
}

/** Starts the program, stores a value in a session, and reads it. */
const visit = (node: string, folder: string): void => {
  const server = spawn(node, ["--experimental-strip-types", "--no-warnings", "server.ts"], { cwd: folder })
  const fail = (problem: string): void => {
    server.kill()
    console.error(`edition 4: the quick start ${problem}`)
    process.exit(1)
  }
  let output = ""
  let isOpen = false
  const timer = setTimeout(() => fail(`did not answer within a minute\n${output}`), 60_000)
  const look = async (data: Buffer): Promise<void> => {
    output += String(data)
    const port = /http:\/\/[^\s/]*:(\d+)/.exec(output)?.[1]
    if (port === undefined || isOpen) return
    isOpen = true
    const url = `http://127.0.0.1:${port}/session`
    const first = await fetch(url, { method: "POST" })
    const cookie = first.headers.getSetCookie()[0]?.split(";")[0] ?? ""
    const second = await fetch(url, { headers: { cookie } })
    const text = await second.text()
    if (text !== "turing") return fail(`answered ${second.status} "${text}"\n${output}`)
    clearTimeout(timer)
    server.kill()
    console.log("edition 4: the pack installs with its plain line, and the quick start runs")
  }
  server.stdout.on("data", (data: Buffer) => void look(data))
  server.stderr.on("data", (data: Buffer) => void look(data))
  server.on("exit", (code) => {
    if (!isOpen) fail(`ended with ${code}\n${output}`)
  })
}
