/**
 * Packs what `npm run build` made and looks at it as those who install it will:
 *
 * - it holds nothing that nobody reads, and is no larger than its limit;
 * - `exports` names every public module of src/ and nothing else; publint and arethetypeswrong have nothing to say;
 * - it imports nothing that it does not declare, and nothing in a circle; its declarations type-check without `skipLibCheck`;
 * - every module loads by `import` and by `require`; those without an optional peer load where none is installed;
 * - src/internal is out of reach;
 * - the command runs in an empty project, without any optional peer, and says which client a database needs.
 */
import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import ts from "typescript"
import * as Size from "./package/size.js"

interface Manifest {
  readonly name: string
  readonly exports: Record<string, { readonly types: string; readonly default: string } | string | null>
  readonly bin: { readonly "effect-session": string }
  readonly dependencies: Record<string, string>
  readonly peerDependencies: Record<string, string>
  readonly peerDependenciesMeta: Record<string, { readonly optional?: boolean }>
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest
const optionalPeers = Object.keys(manifest.peerDependencies).filter((name) =>
  manifest.peerDependenciesMeta[name]?.optional === true
)
const requiredPeers = Object.keys(manifest.peerDependencies).filter((name) => !optionalPeers.includes(name))

/** Sub-paths that need an optional peer; every other module must load without. */
const needsPeer = new Set([
  "./RequestContextRpc",
  "./Revocation/Redis",
  "./Revocation/Sql",
  "./SessionStore/NodeRedis",
  "./SessionStore/Redis",
  "./SessionStore/Sql",
  "./LegacySchema"
])

/** The source of `bin`: it is run, and never imported. */
const command = "cli.ts"

/** What the package takes in a `node_modules`, with a margin of a tenth. */
const maxBytes = 2_260_000

/** Registers tests as it is used: vitest refuses to load outside of its own runner. */
const onlyInVitest = "./SessionStoreContract"

const problems: Array<string> = []
const folder = realpathSync(mkdtempSync(join(tmpdir(), "effect-session-package-")))
process.on("exit", () => rmSync(folder, { recursive: true, force: true }))

const run = (what: string, command: string, args: ReadonlyArray<string>, cwd = "."): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (status !== 0) problems.push(`${what}\n${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`)
  return stdout ?? ""
}
const runNode = (what: string, args: ReadonlyArray<string>, cwd?: string) => run(what, process.execPath, args, cwd)

// ── exports against src/ ──
const modules = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === "object" && target !== null ? [{ path, target }] : []
)
const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("internal/") && file !== command)
  .map((file) => file.slice(0, -".ts".length))
for (const source of sources) {
  const path = source === "index" ? "." : `./${source}`
  if (!modules.some((each) => each.path === path)) problems.push(`src/${source}.ts is public, but not in "exports"`)
}
for (const { path, target } of modules) {
  const name = path === "." ? "index" : path.slice(2)
  if (!sources.includes(name)) problems.push(`"exports" names ${path}, but there is no src/${name}.ts`)
  if (!existsSync(target.default)) problems.push(`${target.default} is not built`)
  if (target.types !== `./dist/${name}.d.ts` || target.default !== `./dist/${name}.js`) {
    problems.push(`"exports" of ${path} does not lead to dist/${name}`)
  }
}

// ── the package as it is packed ──
const pack = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder]
const packed = Size.parse(run("npm pack", "npm", pack))
const tarball = packed.filename
for (const problem of Size.problemsOf(packed, maxBytes)) problems.push(problem)
runNode("publint", ["node_modules/publint/src/cli.js", "run", join(folder, tarball), "--strict"])
runNode("arethetypeswrong", [
  "node_modules/@arethetypeswrong/cli/dist/index.js",
  join(folder, tarball),
  "--profile",
  "esm-only",
  "--format",
  "table-flipped",
  "--no-emoji",
  "--no-color"
])

// ── a project that installed it ──
const consumer = (name: string, packages: ReadonlyArray<string>): string => {
  const root = join(folder, name)
  const installed = join(root, "node_modules", manifest.name)
  mkdirSync(installed, { recursive: true })
  run("tar", "tar", ["-xzf", join(folder, tarball), "--strip-components=1", "-C", installed])
  for (const each of packages) {
    const link = join(root, "node_modules", each)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(resolve("node_modules", each), link)
  }
  writeFileSync(join(root, "package.json"), "{}\n")
  return root
}
const lean = consumer("lean", [...Object.keys(manifest.dependencies), ...requiredPeers])
const full = consumer("full", [
  ...Object.keys(manifest.dependencies),
  ...requiredPeers,
  ...optionalPeers,
  "@types/node"
])

/** Loads the modules one after the other in one process, and says which do not. */
const loadAll = (root: string, how: string, paths: ReadonlyArray<string>) => {
  const program = `(async () => {
    for (const name of ${JSON.stringify(paths.map((path) => join(manifest.name, path)))}) {
      try { await ${how}(name) } catch (e) { process.exitCode = 1; console.log("  " + name + ": " + e.message) }
    }
  })()`
  runNode(`${how}, ${root === lean ? "without optional peers" : "with every peer"}`, ["-e", program], root)
}
const existing = modules.filter(({ path, target }) => path !== onlyInVitest && existsSync(target.default))
  .map(({ path }) => path)
for (const how of ["import", "require"]) {
  loadAll(lean, how, existing.filter((path) => !needsPeer.has(path)))
  loadAll(full, how, existing.filter((path) => needsPeer.has(path)))
}

runNode("src/internal is out of reach", [
  "-e",
  `import("${manifest.name}/internal/json").then(() => process.exit(1), (e) => process.exit(e.code === "ERR_PACKAGE_PATH_NOT_EXPORTED" ? 0 : 1))`
], full)

// ── the command ──
const bin = join(lean, "node_modules", manifest.name, manifest.bin["effect-session"])
const runCommand = (args: ReadonlyArray<string>, status: number, env: Record<string, string> = {}): string => {
  const ran = spawnSync(process.execPath, [bin, ...args], {
    cwd: lean,
    encoding: "utf8",
    env: { ...process.env, ...env }
  })
  if (ran.status !== status) {
    problems.push(`effect-session ${args.join(" ")} ended with ${ran.status}, not with ${status}\n${ran.stderr}`)
  }
  return ran.stdout + ran.stderr
}
if (!readFileSync(bin, "utf8").startsWith("#!/usr/bin/env node\n")) {
  problems.push(`${bin} has no first line for a shell`)
}
runCommand(["--help"], 0)
writeFileSync(join(lean, ".env"), runCommand(["keygen", "--format", "env"], 0))
runCommand(["check", "--env-file", ".env"], 0)
runCommand(["rotate", "add", "--file", ".env"], 0)
runCommand(["rotate", "promote", "--file", ".env"], 0)
runCommand(["check", "--env-file", ".env"], 0)
for (const [url, client] of [["redis://127.0.0.1", "ioredis"], ["postgres://127.0.0.1", "@effect/sql-pg"]] as const) {
  const said = runCommand(["sessions", "count"], 1, { SESSION_STORE_URL: url })
  if (!said.includes(`${client} is not installed`)) problems.push(`the command does not ask for ${client}:\n${said}`)
}

// ── what it imports, and how its declarations type-check ──
const importsOf = (file: string): ReadonlyArray<string> =>
  ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles.map(({ fileName }) => fileName)
const built = readdirSync("dist", { recursive: true, encoding: "utf8" }).map((file) => join("dist", file))

const declared = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)])
for (const file of built.filter((each) => /\.(js|d\.ts)$/.test(each))) {
  for (const name of importsOf(file)) {
    const dependency = /^(@[^/]+\/)?[^/]+/.exec(name)![0]
    if (name.startsWith(".") || name.startsWith("node:") || declared.has(dependency)) continue
    problems.push(`${file} imports ${name}, which is neither a dependency nor a peer`)
  }
}

// a cycle works or does not by which of its modules an app happens to import first
const finished = new Set<string>()
const visit = (file: string, path: ReadonlyArray<string>): void => {
  if (path.includes(file)) problems.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`)
  else if (!finished.has(file)) {
    for (const name of importsOf(file)) if (name.startsWith(".")) visit(join(dirname(file), name), [...path, file])
    finished.add(file)
  }
}
for (const file of built.filter((each) => each.endsWith(".js"))) visit(file, [])

const declarations = modules.map(({ target }) => join(full, "node_modules", manifest.name, target.types)).filter(
  existsSync
)
const program = ts.createProgram(declarations, {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  types: [],
  skipLibCheck: false
})
const own = join(full, "node_modules", manifest.name)
for (const file of program.getSourceFiles().filter((each) => each.fileName.startsWith(own))) {
  for (const diagnostic of program.getSemanticDiagnostics(file)) {
    const { line } = file.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")
    problems.push(`${file.fileName.slice(own.length + 1)}:${line + 1} - TS${diagnostic.code}: ${message}`)
  }
}

for (const problem of problems) console.log(problem)
console.log(`${tarball}: ${modules.length} modules, ${packed.unpackedSize} bytes, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
