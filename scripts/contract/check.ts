/**
 * Whether the contract and the titles of the tests fit each other, decided on texts alone.
 */
import * as Rows from "./rows.js"
import * as Titles from "./titles.js"

/** Rows of this file may stand in titles too: the targets of the benchmarks, of which tests hold some. */
export const benchmarks = "docs/benchmarks.md"

/**
 * - `contract` and `benchmarks`: the text of docs/contract.md and of docs/benchmarks.md.
 * - `tests`: the text of every file that holds tests, by its path from the project's root.
 */
export interface Input {
  readonly contract: string
  readonly benchmarks: string
  readonly tests: ReadonlyMap<string, string>
}

/** What is wrong, one line each, with its place in front. */
export const problems = (input: Input): ReadonlyArray<string> => {
  const { rows, strays } = Rows.inText(input.contract)
  const found = strays.map((line) =>
    `${Rows.file}:${line} - this line of a table is not \`| row | promise | proof |\` with a number like M5 in front`
  )
  if (rows.length === 0) found.push(`${Rows.file} has no row`)

  const titles = new Map([...input.tests].map(([path, text]) => [path, Titles.inSource(text)] as const))
  const known = new Set<string>()
  for (const { line, name, proofs } of rows) {
    const report = (message: string) => found.push(`${Rows.file}:${line} - ${name} ${message}`)
    if (known.has(name)) report("is there twice")
    known.add(name)
    if (proofs.length === 0) report("has no link to a test in its last column")
    for (const { path, text } of proofs) {
      const inFile = titles.get(path)
      if (text !== path) report(`names ${text}, but the link leads to ${path}`)
      if (inFile === undefined) report(`links ${path}, which is not a file of tests`)
      else if (!inFile.some(({ row }) => row === name)) {
        report(`links ${path}, which has no test whose title starts with "${name}: "`)
      }
    }
  }

  for (const [, target] of input.benchmarks.matchAll(/^\| (P\d+) \|/gm)) known.add(target)
  for (const [path, inFile] of titles) {
    for (const { line, row } of inFile) {
      if (known.has(row)) continue
      found.push(`${path}:${line} - the title starts with ${row}, which is not in ${Rows.file} or ${benchmarks}`)
    }
  }
  return found
}
