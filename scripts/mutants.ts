/**
 * `npm run mutants`: breaks the code once for each promise of the contract (test/mutants/mutants.ts) and looks whether a
 * test of the row fails. Arguments are rows: `npm run mutants -- K1 M5`. Exit code 1 when a mutant survives.
 *
 * Works in copies of the project, so that nothing is left broken when it is stopped. First it runs what it will run on the
 * code as it is: a test that fails anyway kills nothing.
 */
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { setPriority, tmpdir } from "node:os"
import { basename, join, relative, resolve } from "node:path"
import { type Mutant, mutants } from "../test/mutants/mutants.js"
import * as Rows from "./contract/rows.js"

/** A mutant may loop for ever, in a way that a test's own time-out cannot stop. */
const patienceMillis = 120_000

/** More would only take the time from each other: the tests measure time-outs. */
const workers = 2

const root = process.cwd()

// ── copies of the project ──

const left = new Set(["node_modules", "dist", ".git"])

const copyProject = (): string => {
  const copy = mkdtempSync(join(tmpdir(), "effect-session-mutants-"))
  for (const entry of readdirSync(root)) {
    if (left.has(entry)) continue
    cpSync(join(root, entry), join(copy, entry), { recursive: true, filter: (path) => !left.has(basename(path)) })
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  return copy
}

// ── processes ──

const running = new Set<() => void>()

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly inTime: boolean
}

/** In a process group of its own, so that the workers of a test run end with it. */
const run = (cwd: string, args: ReadonlyArray<string>, patience = patienceMillis): Promise<Ended> =>
  new Promise((settle) => {
    const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const kill = () => {
      try {
        process.kill(-child.pid!, "SIGKILL")
      } catch {
        // already gone
      }
    }
    running.add(kill)
    let output = ""
    let inTime = true
    const read = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    const timer = setTimeout(() => {
      inTime = false
      kill()
    }, patience)
    child.once("close", (code) => {
      clearTimeout(timer)
      running.delete(kill)
      settle({ code, output, inTime })
    })
    child.once("exit", kill)
  })

const vitest = "node_modules/vitest/vitest.mjs"

// ── which tests ──

/**
 * Tests of one store run for what is in its folder, and for nothing else: they need servers, and take long. So do the guards of
 * memory (test/costs.test.ts), which count what is allocated for a minute.
 */
const stores = [
  { folder: "src/internal/redis/", tests: /^test\/redis\// },
  { folder: "src/internal/sql/", tests: /^test\/sql\// },
  { folder: "src/internal/keyValueStore/", tests: /^test\/keyValueStore\// }
]
const slow =
  /^test\/(?:redis\/|sql\/|keyValueStore\/|Sessions\.|processes\.|costs\.|browser\.|example\.|quickstart\.|scripts\/)/

const patternOf = (row: string): string => `(^| )${row}: `

/** Every test as vitest names it: a row's tests come from shared suites as well as from files. */
const listTests = async (copy: string): Promise<ReadonlyArray<{ readonly name: string; readonly file: string }>> => {
  const file = join(copy, "tests.json")
  const ended = await run(copy, [vitest, "list", `--json=${file}`], 5 * patienceMillis)
  if (ended.code !== 0) {
    throw new Error(`vitest cannot list the tests:\n${ended.output.split("\n").slice(0, 10).join("\n")}`)
  }
  const list = JSON.parse(readFileSync(file, "utf8")) as ReadonlyArray<{ readonly name: string; readonly file: string }>
  return list.map(({ file, name }) => ({ file: relative(copy, file), name: name.replaceAll(" > ", " ") }))
}

type Tests = Awaited<ReturnType<typeof listTests>>

const filesFor = (mutant: Mutant, tests: Tests): ReadonlyArray<string> => {
  if (mutant.tests !== undefined) return [mutant.tests]
  const store = stores.find(({ folder }) => mutant.file.startsWith(folder))
  const isOfRow = new RegExp(patternOf(mutant.row))
  const files = tests.filter(({ file, name }) =>
    isOfRow.test(name) && (store === undefined ? !slow.test(file) : store.tests.test(file))
  )
  return [...new Set(files.map(({ file }) => file))]
}

// ── one run ──

type Outcome =
  | { readonly _tag: "Passed"; readonly count: number }
  | { readonly _tag: "Failed"; readonly by: string }
  /** neither: nothing that says anything about the promise */
  | { readonly _tag: "Broken"; readonly why: string }

/** What vitest's JSON reporter writes, as far as it is needed. */
interface JsonReport {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly message?: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: ReadonlyArray<string>
    }>
  }>
}

const tooLong: Outcome = { _tag: "Failed", by: `the limit of ${patienceMillis / 1000} s: the run did not end` }

const lastLines = (text: string): string => text.trim().split("\n").slice(-3).join(" ")

const runVitest = async (copy: string, row: string, files: ReadonlyArray<string>): Promise<Outcome> => {
  const file = join(copy, "result.json")
  rmSync(file, { force: true })
  const ended = await run(copy, [
    vitest,
    "run",
    ...files,
    "-t",
    patternOf(row),
    "--bail=1",
    "--maxWorkers=1",
    "--minWorkers=1",
    "--reporter=json",
    `--outputFile=${file}`
  ])
  if (!ended.inTime) return tooLong
  let report: JsonReport
  try {
    report = JSON.parse(readFileSync(file, "utf8")) as JsonReport
  } catch {
    return { _tag: "Broken", why: lastLines(ended.output) }
  }
  let count = 0
  for (const { assertionResults, name } of report.testResults) {
    for (const { failureMessages, fullName, status } of assertionResults) {
      if (status === "passed") count++
      if (status !== "failed") continue
      const timedOut = failureMessages?.[0]?.includes("timed out in") ? " (the test's time-out)" : ""
      return { _tag: "Failed", by: `${relative(copy, name)}: ${fullName}${timedOut}` }
    }
  }
  const unloaded = report.testResults.find(({ assertionResults, message }) => message && assertionResults.length === 0)
  if (unloaded !== undefined) return { _tag: "Broken", why: lastLines(unloaded.message ?? "") }
  if (ended.code !== 0) return { _tag: "Broken", why: "an error outside of a test" }
  return { _tag: "Passed", count }
}

/** All type tests, because they take no pattern that selects a row; it is a test of the row that has to fail. */
const runTypes = async (copy: string, row: string): Promise<Outcome> => {
  const ended = await run(copy, ["--import", "tsx", "node_modules/tstyche/build/bin.js", "--reporters", "list,summary"])
  if (!ended.inTime) return tooLong
  const output = ended.output.replace(/\u001b\[[\d;]*m/g, "")
  const failed = [...output.matchAll(/ at \.\/([^\s:]+):[\d:]+ ❭ (.*)$/gm)].find(([, , title]) =>
    title.split(" ❭ ").some((part) => part.startsWith(`${row}: `))
  )
  if (failed !== undefined) return { _tag: "Failed", by: `${failed[1]}: ${failed[2].replaceAll(" ❭ ", " ")}` }
  const passed = /^Tests: +(\d+) passed/m.exec(output)
  return ended.code === 0 && passed !== null
    ? { _tag: "Passed", count: Number(passed[1]) }
    : { _tag: "Broken", why: lastLines(output) }
}

// ── mutants of one row ──

interface Line {
  readonly mutant: Mutant
  readonly tag: "killed" | "survived" | "broken" | "no tests"
  readonly says: string
}

const judge = (outcome: Outcome): Pick<Line, "tag" | "says"> => {
  switch (outcome._tag) {
    case "Failed":
      return { tag: "killed", says: outcome.by }
    case "Broken":
      return { tag: "broken", says: `no test of the row failed: ${outcome.why}` }
    case "Passed":
      return { tag: "survived", says: `SURVIVED ${outcome.count} tests` }
  }
}

const apply = (source: string, { file, find, replace }: Mutant): string => {
  if (source.split(find).length !== 2) throw new Error(`${file} does not have this exactly once: ${find}`)
  return source.replace(find, () => replace)
}

/**
 * Runs the mutants of a row, one after another, each against the tests that passed without it. `broken` is a fault of the list, of the
 * tests or of the machine; `no tests` is a server that is not there.
 */
const runRow = async (copy: string, row: string, tests: Tests): Promise<ReadonlyArray<Line>> => {
  const lines: Array<Line> = []
  const sound = new Map<string, Outcome>()
  for (const mutant of mutants.filter((mutant) => mutant.row === row)) {
    const files = mutant.kind === "types" ? [] : filesFor(mutant, tests)
    const runTests = () => mutant.kind === "types" ? runTypes(copy, row) : runVitest(copy, row, files)
    const selection = files.join(" ")
    if (mutant.kind !== "types" && files.length === 0) {
      lines.push({ mutant, tag: "broken", says: "the row has no test" })
      continue
    }
    const before = sound.get(selection) ?? await runTests()
    sound.set(selection, before)
    if (before._tag !== "Passed") {
      const why = before._tag === "Failed" ? before.by : before.why
      lines.push({ mutant, tag: "broken", says: `the tests fail on the code as it is: ${why}` })
    } else if (before.count === 0) {
      lines.push({ mutant, tag: "no tests", says: "no test of the row ran: a server that it needs is not there" })
    } else {
      const path = join(copy, mutant.file)
      const source = readFileSync(path, "utf8")
      writeFileSync(path, apply(source, mutant))
      lines.push({ mutant, ...judge(await runTests()) })
      writeFileSync(path, source)
    }
  }
  return lines
}

// ── all ──

const asked = process.argv.slice(2)
const rows = Rows.names()
const unknown = asked.filter((row) => !rows.includes(row))
if (unknown.length > 0) {
  console.error(`not in ${Rows.file}: ${unknown.join(", ")}`)
  process.exit(2)
}
setPriority(10) // children inherit it; this takes long, and others may use the machine

const copies: Array<string> = []
const cleanUp = () => {
  for (const kill of running) kill()
  for (const copy of copies.splice(0)) rmSync(copy, { recursive: true, force: true })
}
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    cleanUp()
    process.exit(130)
  })
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")
const all: Array<ReadonlyArray<Line>> = []
try {
  const queue = rows.filter((row) => asked.length === 0 || asked.includes(row))
  for (let i = 0; i < Math.min(workers, queue.length); i++) copies.push(resolve(copyProject()))
  const tests = await listTests(copies[0])
  console.log("| row | what is broken | killed by |\n| --- | --- | --- |")
  await Promise.all(copies.map(async (copy) => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const lines = await runRow(copy, row, tests)
      all.push(lines)
      for (const { mutant, says } of lines) console.log(`| ${row} | ${cell(mutant.what)} | ${cell(says)} |`)
    }
  }))
} finally {
  cleanUp()
}

const counts = (["killed", "survived", "broken", "no tests"] as const).map((tag) =>
  [tag, all.flat().filter((line) => line.tag === tag).length] as const
)
console.log(`\n${all.flat().length} mutants: ${counts.map(([tag, count]) => `${count} ${tag}`).join(", ")}`)
process.exitCode = counts.some(([tag, count]) => (tag === "survived" || tag === "broken") && count > 0) ? 1 : 0
