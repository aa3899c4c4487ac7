/**
 * `npm test`: the tests (vitest), the type tests (tstyche) and the docs' examples, one closing line for all.
 *
 * Arguments choose: `*.tst.ts` are type tests, `*.md` and `src/**` are files with examples, everything else goes to vitest
 * (`npm test -- test/SessionKey.test.ts -t "C8"`). A part that is not chosen does not run. With `--changed` there may be nothing to run.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Report from "./test/report.js"

interface Part {
  readonly name: string
  readonly takes: (argument: string) => boolean
  readonly command: ReadonlyArray<string>
}

const isTypeTest = (argument: string) => argument.endsWith(".tst.ts")
const isChanged = (argument: string) => /^--changed(=|$)/.test(argument)
const hasExamples = (argument: string) => argument.endsWith(".md") || /^(\.\/)?src\//.test(argument)

const parts: ReadonlyArray<Part> = [
  {
    name: "tests",
    takes: (argument) => !isTypeTest(argument) && !hasExamples(argument),
    command: [
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=default",
      "--reporter=./scripts/test/vitestReporter.ts"
    ]
  },
  {
    name: "type tests",
    takes: isTypeTest,
    command: [
      "--import",
      "tsx",
      "node_modules/tstyche/build/bin.js",
      "--reporters",
      "list,summary,./scripts/test/tstycheReporter.ts"
    ]
  },
  { name: "examples", takes: hasExamples, command: ["--import", "tsx", "scripts/examples.ts", "--run"] }
]

/** A test that never yields cannot be stopped by its own time-out; the run as a whole has to end. */
const patienceMinutes = 20

let isInterrupted = false

/** In a process group of its own, so that the workers of a part end with it. */
const spawnPart = (args: ReadonlyArray<string>, file: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: "inherit", detached: true, env: Report.environment(file) })
    const kill = (signal: NodeJS.Signals) => {
      try {
        process.kill(-child.pid!, signal)
      } catch {
        // already gone
      }
    }
    let end: string | undefined
    const settle = () => {
      clearTimeout(timer)
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt)
      kill("SIGKILL")
      resolve(end)
    }
    const interrupt = (signal: NodeJS.Signals) => {
      end = "was interrupted"
      isInterrupted = true
      kill(signal)
    }
    const timer = setTimeout(() => {
      end = `did not end within ${patienceMinutes} minutes`
      kill("SIGKILL")
    }, patienceMinutes * 60_000)
    process.on("SIGINT", interrupt).on("SIGTERM", interrupt)
    child.once("error", (error) => {
      end = error.message
      settle()
    })
    child.once("exit", (code, signal) => {
      if (code !== 0) end ??= `ended with ${signal ?? `exit code ${code}`}`
      settle()
    })
  })

const run = async (part: Part, args: ReadonlyArray<string>, file: string): Promise<Report.Report> => {
  console.log(`\n── ${part.name}`)
  const end = await spawnPart([...part.command, ...args], file)
  const report = Report.read(file) ?? { passed: 0, failed: 0, skipped: 0, reasons: [] }
  const total = report.passed + report.failed + report.skipped
  const mishap = report.failed === 0 && end !== undefined
    ? end
    : total === 0 && !args.some(isChanged)
    ? "ran no test"
    : undefined
  if (mishap === undefined) return report
  console.log(`${part.name}: ${mishap}, which counts as failed`)
  return { ...report, failed: report.failed + 1 }
}

const args = process.argv.slice(2)

/** Vitest takes a commit that does not exist for one since which nothing has changed. */
const since = /--changed[= ]([^-\s]\S*)/.exec(args.join(" "))?.[1]
if (since !== undefined && spawnSync("git", ["rev-parse", "--verify", "--quiet", `${since}^{commit}`]).status !== 0) {
  console.log(`--changed: git knows no commit ${since}\n\n0 passed, 1 failed`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), "effect-session-test-"))
const reports: Array<Report.Report> = []
for (const [i, part] of parts.entries()) {
  const own = args.filter(part.takes)
  const isChosen = args.length === 0 || own.length > 0
  if (isChosen && !isInterrupted) reports.push(await run(part, own, join(folder, `${i}.json`)))
}
rmSync(folder, { recursive: true })
for (const file of Report.before()) {
  const report = Report.read(file)
  if (report === undefined) console.log(`\n${file}: this report was not written, which counts as failed`)
  reports.push(report ?? { passed: 0, failed: 1, skipped: 0, reasons: [] })
}

const sum = (count: (report: Report.Report) => number) => reports.reduce((total, report) => total + count(report), 0)
const failed = sum((report) => report.failed)
const skipped = sum((report) => report.skipped)
console.log("")
for (const reason of reports.flatMap((report) => report.reasons)) console.log(`skipped: ${reason}`)
process.exitCode = failed === 0 ? 0 : 1
console.log(`${sum((report) => report.passed)} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`)
