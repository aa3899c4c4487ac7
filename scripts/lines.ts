/**
 * `npm run lines`: how many lines of code src/ has, by folder; comments and blank lines do not count. The contract suites
 * and the test tools are published beside the library, and are counted apart from it.
 *
 * An argument is another src/ to count, that of an older commit for instance.
 */
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as CodeLines from "./lines/codeLines.js"

const root = process.argv[2] ?? "src"

/** What users of the library run in their tests, and the library itself never imports. */
const isForTests = (file: string): boolean =>
  /^internal\/(?:contract|testing)\//.test(file) || file === "Testing.ts" || file === "SessionStoreContract.ts"

interface Count {
  readonly files: number
  readonly lines: number
}

const folders = new Map<string, Count>()
const totals = new Map<string, Count>()

const add = (counts: Map<string, Count>, name: string, lines: number): void => {
  const before = counts.get(name) ?? { files: 0, lines: 0 }
  counts.set(name, { files: before.files + 1, lines: before.lines + lines })
}

for (const file of readdirSync(root, { recursive: true, encoding: "utf8" }).filter((each) => each.endsWith(".ts"))) {
  const lines = CodeLines.count(readFileSync(join(root, file), "utf8"))
  const folder = dirname(file) === "." ? "src" : `src/${dirname(file)}`
  add(folders, isForTests(file) ? `${folder} (for tests)` : folder, lines)
  add(totals, isForTests(file) ? "contract suites and test tools" : "the library proper", lines)
  add(totals, "all of src", lines)
}

const print = (counts: Map<string, Count>): void => {
  for (const [name, { files, lines }] of [...counts].sort(([a], [b]) => a < b ? -1 : 1)) {
    console.log(`| ${name} | ${files} | ${lines.toLocaleString("en")} |`)
  }
}

console.log("| folder | files | lines |\n| --- | ---: | ---: |")
print(folders)
print(totals)
