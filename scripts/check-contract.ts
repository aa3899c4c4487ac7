/**
 * Checks docs/contract.md against the tests: every row links at least one file of tests, each linked file has a test whose
 * title starts with the row's number, and no title has a number that the contract does not have.
 *
 * Checks docs/requirements.md too: every requirement links a row of the contract or a file of tests, or the section of a page that
 * tells how the app meets it.
 *
 * That every row also has a mutant is checked by test/mutants.test.ts.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as Check from "./contract/check.js"
import * as Requirements from "./contract/requirements.js"
import * as Rows from "./contract/rows.js"

/** The shared suites that run over every store are in src/, because adapters of other people run them too. */
const files = [
  "src/SessionStoreContract.ts",
  ...["src/internal/contract", "test"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.m?ts$/.test(file))
      .map((file) => `${folder}/${file}`)
  )
]

const contract = readFileSync(Rows.file, "utf8")
const problems = Check.problems({
  contract,
  benchmarks: readFileSync(Check.benchmarks, "utf8"),
  tests: new Map(files.map((file) => [file, readFileSync(file, "utf8")]))
})

const pages = readdirSync("docs").filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)
const requirements = Requirements.check({
  pages: new Map(pages.map((page) => [page, readFileSync(page, "utf8")])),
  tests: new Set(files)
})

for (const problem of [...problems, ...requirements.problems]) console.log(problem)
console.log(`${Rows.file}: ${Rows.inText(contract).rows.length} rows, ${problems.length} problems`)
console.log(`${Requirements.file}: ${requirements.rows} requirements, ${requirements.problems.length} problems`)
process.exitCode = problems.length + requirements.problems.length === 0 ? 0 : 1
