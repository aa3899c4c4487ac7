/**
 * `npm run edition:4`: writes the package for Effect 4 into `effect4/`, from the sources of this one; installs what it needs,
 * checks its types and builds it. With an argument it goes on:
 *
 * - `start`: starts the example app, as `npm start` does
 * - `test`: runs its tests and its type tests; arguments choose, as with `npm test`: `*.tst.ts` are type tests, everything else goes
 *   to vitest
 * - `example name`: runs one of its other examples, as `npm run example` does
 * - `examples`: compiles the examples of its documentation, and runs those that are programs; further arguments are files
 * - `package`: packs it, and installs the pack into an empty project
 * - `generate`: writes the sources only
 *
 * Effect 4 needs Node.js 22.19 or newer. `EDITION_4_NODE` says where one is, or which version npm shall install, such as `latest`.
 * Without it, this process's own is taken if it is new enough, or else Node.js 24 from npm.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { makeFormat } from "./edition/format.js"
import { filesAt, generate, type Generated } from "./edition/generate.js"
import { checkPackage } from "./edition/package.js"
import { Leftover } from "./edition/rename.js"
import { install, orExit } from "./install.js"
import { nodeAt } from "./nodes.js"

const root = resolve(import.meta.dirname, "..")
const target = join(root, "effect4")

const run = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): void =>
  orExit("edition 4", command, args, { cwd: target, env: { ...process.env, ...env } })

/** What measures the library itself; the other contestants of the benchmark know no editions. */
const benchmark = [
  "effect",
  "harness",
  "inprocess/child.js",
  "inprocess/profile.js",
  "redis/child.js",
  "http/contestants/effect.js",
  "http/serve.js",
  "http/settings.js"
].map((place) => `benchmark/${place}`)

const folders = ["src", "test", "examples", "scripts/example.ts", ...benchmark]
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs"]

const write = async (): Promise<Generated> => {
  try {
    return generate(root, folders, target, true, { paths: pages, format: await makeFormat() })
  } catch (error) {
    if (!(error instanceof Leftover)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

/** Checks the types of sources and examples and builds `dist`, unless that is done for just these files. */
const build = (): void => {
  const stamp = join(target, "node_modules/.built")
  const hash = createHash("sha256")
  for (const path of ["src", "examples", "tsconfig.json", "tsconfig.build.json", "package-lock.json"]) {
    for (const file of filesAt(target, path)) hash.update(`${file}\n${readFileSync(join(target, file), "utf8")}\n`)
  }
  const sources = hash.digest("hex")
  const dist = join(target, "dist")
  if (existsSync(dist) && existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return
  const tsc = join("node_modules", "typescript", "bin", "tsc")
  run(process.execPath, [tsc, "-p", "tsconfig.json"])
  rmSync(dist, { recursive: true, force: true })
  run(process.execPath, [tsc, "-p", "tsconfig.build.json"])
  writeFileSync(stamp, sources)
  console.log(`edition 4: built effect4/dist with effect ${version("effect")}`)
}

const isNewEnough = (version: string): boolean => {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}

/** A Node.js on which Effect 4 runs. */
const newerNode = (): string => {
  const given = process.env["EDITION_4_NODE"] ?? ""
  if (/^(\d+|latest)$/.test(given)) return nodeAt(given)
  if (given !== "") return given
  return isNewEnough(process.version) ? process.execPath : nodeAt("24")
}

const commands = ["build", "example", "examples", "generate", "package", "start", "test"]
const [command = "build", ...args] = process.argv.slice(2)
if (!commands.includes(command)) {
  console.error(`edition 4: ${command} is unknown; accepted: ${commands.join(", ")}`)
  process.exit(1)
}

// The example finds its configuration beside its own folder, and makes its key there.
mkdirSync(join(target, "config"), { recursive: true })
copyFileSync(join(root, "config/development.yaml"), join(target, "config/development.yaml"))

const { identical, lines, mixed, omitted, renamed, written } = await write()
const share = (count: number) => `${(100 * count / lines.all).toFixed(1)} %`
console.log(
  `edition 4: ${identical.length} files are the same, ${renamed.length} are renamed, ${written.length} are written for Effect 4, `
    + `${omitted.length} are left out; ${share(lines.identical)} of ${lines.all} lines are the same`
)
if (command !== "generate") install("edition 4", target)
if (["build", "package", "test"].includes(command)) build()
if (command === "test") test(newerNode())
if (command === "start") run(newerNode(), ["--import", "tsx", join("examples", "web", "server.ts")])
if (command === "example") run(newerNode(), ["--import", "tsx", join("scripts", "example.ts"), ...args])
if (command === "examples") {
  for (const each of mixed) console.log(each)
  run(newerNode(), ["--import", "tsx", join("..", "scripts", "examples.ts"), "--edition=4", "--run", ...args])
  if (mixed.length > 0) process.exitCode = 1
}
if (command === "package") checkPackage(root, target, newerNode())

/** Every part runs, so that one run tells everything. */
function test(node: string): void {
  const part = (takes: (argument: string) => boolean, ...command: ReadonlyArray<string>): number => {
    const own = args.filter(takes)
    if (args.length > 0 && own.length === 0) return 0
    const { error, status } = spawnSync(node, [...command, ...own], {
      cwd: target,
      stdio: "inherit",
      env: { ...process.env, EFFECT_3_NODE: process.execPath, PATH: `${dirname(node)}:${process.env["PATH"] ?? ""}` }
    })
    if (error !== undefined) throw error
    if (status !== 0) console.error(`edition 4: ${command.join(" ")} ended with ${status}`)
    return status ?? 1
  }
  const isTypeTest = (argument: string) => argument.endsWith(".tst.ts")
  const inRoot = (path: string) => join("..", path)
  const ends = [
    part(
      (argument) => !isTypeTest(argument),
      join("node_modules", "vitest", "vitest.mjs"),
      "run",
      "--reporter=default",
      `--reporter=${inRoot("scripts/test/vitestReporter.ts")}`
    ),
    part(
      isTypeTest,
      "--import",
      "tsx",
      inRoot("node_modules/tstyche/build/bin.js"),
      "--reporters",
      `list,summary,${inRoot("scripts/test/tstycheReporter.ts")}`
    )
  ]
  process.exit(ends.find((status) => status !== 0) ?? 0)
}

function version(name: string): string {
  return (JSON.parse(readFileSync(join(target, "node_modules", name, "package.json"), "utf8")) as { version: string })
    .version
}
