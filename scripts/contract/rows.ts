/**
 * The rows of docs/contract.md as data: `| M5 | what is promised | links to the tests that prove it |`.
 */
import { readFileSync } from "node:fs"

export const file = "docs/contract.md"

/**
 * - `line`: counted from 1.
 * - `proofs`: the links of the last column, with their paths from the project's root.
 */
export interface Row {
  readonly name: string
  readonly line: number
  readonly proofs: ReadonlyArray<Proof>
}

export interface Proof {
  readonly text: string
  readonly path: string
}

/** `strays` are the lines of tables that are not rows, although only the head of a table should not be one. */
export interface Rows {
  readonly rows: ReadonlyArray<Row>
  readonly strays: ReadonlyArray<number>
}

const link = /\[([^\]]*)\]\(([^)]*)\)/g

/** A link from docs/ as a path from the root; what leads elsewhere stays as it is. */
const fromRoot = (target: string): string =>
  /^https?:/.test(target) ? target : target.startsWith("../") ? target.slice("../".length) : `docs/${target}`

/** The cells of a line of a table. */
export const cellsIn = (line: string): ReadonlyArray<string> =>
  line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())

/** The links in a text of docs/. */
export const linksIn = (text: string): ReadonlyArray<Proof> =>
  [...text.matchAll(link)].map(([, text, target]) => ({ text, path: fromRoot(target) }))

export const inText = (markdown: string): Rows => {
  const rows: Array<Row> = []
  const strays: Array<number> = []
  for (const [index, text] of markdown.split("\n").entries()) {
    if (!text.startsWith("|") || /^\| (?:row|---) \|/.test(text)) continue
    const cells = cellsIn(text)
    if (cells.length === 3 && /^[A-Z]{1,2}\d+$/.test(cells[0]) && cells[1] !== "") {
      rows.push({ name: cells[0], line: index + 1, proofs: linksIn(cells[2]) })
    } else {
      strays.push(index + 1)
    }
  }
  return { rows, strays }
}

/** The names of all rows, in the contract's order. */
export const names = (): ReadonlyArray<string> => inText(readFileSync(file, "utf8")).rows.map(({ name }) => name)
