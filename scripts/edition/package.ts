/**
 * Looks at the package for Effect 4 as those who install it will: packs it, lets publint and arethetypeswrong look at it,
 * installs it into an empty folder with the commands of README.md, and runs the program of that page.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as QuickStart from "../examples/quickStart.js"
import * as Size from "../package/size.js"

/** What the package takes in a `node_modules`, with a margin of a tenth. */
const maxBytes = 2_260_000

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

  const quickStart = QuickStart.read(readFileSync(join(root, "README.md"), "utf8"), 4)
  if (quickStart.packages[0] !== `./${tarball}`) {
    throw new Error(`README.md installs ${quickStart.packages[0]}, not ${tarball}`)
  }
  const shown = QuickStart.read(readFileSync(join(target, "README.md"), "utf8"), 3)
  if (shown.packages.join(" ") !== quickStart.packages.join(" ")) {
    throw new Error(
      `README.md installs ${quickStart.packages.join(" ")}, and its page for Effect 4 ${shown.packages.join(" ")}`
    )
  }
  run("npm", ["init", "-y"])
  run("npm", ["pkg", "set", "type=module"])
  const packages = quickStart.packages.map((name) => name.replaceAll("\"", ""))
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packages])
  writeFileSync(join(folder, "server.ts"), quickStart.program.replace("port: 3000", "port: 0"))
  run(process.execPath, [
    join(target, "node_modules/typescript/bin/tsc"),
    ...["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"],
    ...["--skipLibCheck", "--types", "node", "--typeRoots", join(target, "node_modules/@types"), "server.ts"]
  ])
  visit(node, folder, quickStart.requests)
}

/** Starts the program, and sends the requests that the README shows. */
const visit = (node: string, folder: string, requests: ReadonlyArray<QuickStart.Request>): void => {
  const server = spawn(node, ["--import", "tsx", "server.ts"], { cwd: folder })
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
    const problems = await QuickStart.visit(`http://127.0.0.1:${port}`, requests)
    if (problems.length > 0) return fail(`gave other answers\n${problems.join("\n")}\n${output}`)
    clearTimeout(timer)
    server.kill()
    console.log(
      "edition 4: the pack installs with the README's commands, and its program counts visits and signs in and out"
    )
  }
  server.stdout.on("data", (data: Buffer) => void look(data))
  server.stderr.on("data", (data: Buffer) => void look(data))
  server.on("exit", (code) => {
    if (!isOpen) fail(`ended with ${code}\n${output}`)
  })
}
