/**
 * `npm run check:architecture`: holds the diagrams and the file names of docs/architecture.md against the code.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { check, type Imports } from "./architecture/check.js"
import * as Diagrams from "./architecture/diagrams.js"

const page = "docs/architecture.md"

interface Cruised {
  readonly modules: ReadonlyArray<
    { readonly source: string; readonly dependencies: ReadonlyArray<{ readonly resolved: string }> }
  >
}

const cruised = JSON.parse(execFileSync(
  process.execPath,
  [
    "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
    "src",
    "--config",
    ".dependency-cruiser.cjs",
    "--output-type",
    "json"
  ],
  { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 }
)) as Cruised

const nameOf = (path: string): string => path.replace(/^src\//, "").replace(/\.ts$/, "")
const isOurs = (path: string): boolean => path.startsWith("src/")

const imports: Imports = cruised.modules.filter(({ source }) => isOurs(source)).flatMap(({ dependencies, source }) =>
  dependencies.filter(({ resolved }) => isOurs(resolved)).map(({ resolved }) =>
    [nameOf(source), nameOf(resolved)] as const
  )
)

const text = readFileSync(page, "utf8")
const diagrams = Diagrams.read(text)
const problems = [
  ...(diagrams.length === 0 ? ["there is no diagram"] : []),
  ...check(diagrams, imports),
  // `src/…`, `test/…`, `scripts/…` and `internal/…` in backticks are files or folders
  ...[...text.matchAll(/`((?:src|test|scripts|internal|docs|benchmark)\/[\w./-]*\w)`/g)].flatMap(([, path]) => {
    const full = path.startsWith("internal/") ? `src/${path}` : path
    return existsSync(full) || existsSync(`${full}.ts`) ? [] : [`there is no ${path}`]
  })
]
for (const problem of problems) console.error(`${page}: ${problem}`)
console.log(`${page}: ${diagrams.length} diagrams, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
