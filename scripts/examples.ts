/**
 * Checks the docs' examples: every `ts` block of README.md, docs/ and the docstrings in src/ is type-checked against the
 * sources; with `--run` those marked `ts run` are run too, and must end by themselves with exit code 0.
 * How to write one: CONTRIBUTING.md.
 *
 * Arguments: the files to look at; all of them when none is named. `npm run edition:4 -- examples` runs this in `effect4/`, with
 * `--edition=4`.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, relative, resolve } from "node:path"
import ts from "typescript"
import * as Programs from "./examples/programs.js"
import { filesIn } from "./files.js"
import * as Report from "./test/report.js"

const patienceMillis = 60_000
/** Inside the project, so that imports resolve as they do for the examples' readers; ignored by git. */
const folder = resolve(".examples", String(process.pid))

const filesBelow = (path: string, suffix: string): ReadonlyArray<string> =>
  filesIn(path, suffix).map((file) => `${path}/${file}`)

/** CHANGELOG.md is history: what it shows compiled in its time. */
const allFiles = (): ReadonlyArray<string> => [
  ...readdirSync(".").filter((file) => file.endsWith(".md") && file !== "CHANGELOG.md").sort(),
  ...filesBelow("docs", ".md"),
  ...filesBelow("src", ".ts")
]

const pathOf = (program: Programs.Program): string =>
  `${folder}/${program.file.replaceAll("/", "__")}/line${program.line}.ts`

/** What the compiler says, each at the place in the documentation where it stands. */
const typeErrors = (
  programs: ReadonlyArray<Programs.Program>
): ReadonlyMap<Programs.Program, ReadonlyArray<string>> => {
  const config = ts.getParsedCommandLineOfConfigFile("tsconfig.json", {}, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"))
    }
  })!
  const compiler = ts.createProgram(programs.map(pathOf), {
    ...config.options,
    // an example ends before everything it names is used
    noUnusedLocals: false,
    noUnusedParameters: false
  })
  return new Map(programs.map((program) => {
    const source = compiler.getSourceFile(pathOf(program))!
    const diagnostics = [...compiler.getSyntacticDiagnostics(source), ...compiler.getSemanticDiagnostics(source)]
    return [
      program,
      diagnostics.map((diagnostic) => {
        const { character, line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
        const column = character + (program.indents.get(line) ?? 0) + 1
        const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")
        return `${program.file}:${line + 1}:${column} - TS${diagnostic.code}: ${message}`
      })
    ]
  }))
}

const runError = (program: Programs.Program): string | undefined => {
  const { error, signal, status, stderr, stdout } = spawnSync(
    process.execPath,
    ["--enable-source-maps", "--import", "tsx", pathOf(program)],
    { encoding: "utf8", timeout: patienceMillis, killSignal: "SIGKILL" }
  )
  if (status === 0) return undefined
  const timedOut = (error as NodeJS.ErrnoException | undefined)?.code === "ETIMEDOUT"
  const end = timedOut
    ? `did not end within ${patienceMillis / 1000} seconds`
    : `ended with ${signal ?? `exit code ${status}`}`
  return `${program.file}:${program.line} - ${end}\n${stdout}${stderr}`.replaceAll(pathOf(program), program.file)
}

const args = process.argv.slice(2)
const shouldRun = args.includes("--run")
const edition = args.includes("--edition=4") ? 4 : 3
const named = args.filter((argument) => !argument.startsWith("--")).map((file) => relative(".", file))
const { mistakes, programs } = Programs.all(
  (named.length > 0 ? named : allFiles()).map((file) => [file, readFileSync(file, "utf8")] as const),
  edition
)

rmSync(folder, { recursive: true, force: true })
for (const program of programs) {
  mkdirSync(dirname(pathOf(program)), { recursive: true })
  writeFileSync(pathOf(program), program.text)
}

const problems = mistakes.map(({ file, line, message }) => `${file}:${line} - ${message}`)
let failed = mistakes.length
let ran = 0
for (const [program, errors] of typeErrors(programs)) {
  if (errors.length > 0) {
    for (const error of errors) problems.push(error)
    failed++
  } else if (shouldRun && program.runs) {
    ran++
    const error = runError(program)
    if (error === undefined) continue
    problems.push(error)
    failed++
  }
}
rmSync(folder, { recursive: true, force: true })

for (const problem of problems) console.log(problem)
const total = programs.length + mistakes.length
console.log(
  `${programs.length} examples type-checked${shouldRun ? `, ${ran} of them run` : ""}, ${failed} with problems`
)
Report.write({ passed: total - failed, failed, skipped: 0, reasons: [] })
process.exitCode = failed === 0 && total > 0 ? 0 : 1
