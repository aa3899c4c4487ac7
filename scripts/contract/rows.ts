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
const fromRoot = (target: string): string => target.startsWith("../") ? target.slice("../".length) : `docs/${target}`

export const inText = (markdown: string): Rows => {
  const rows: Array<Row> = []
  const strays: Array<number> = []
  for (const [index, text] of markdown.split("\n").entries()) {
    if (!text.startsWith("|") || /^\| (?:row|---) \|/.test(text)) continue
    const cells = text.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
    if (cells.length === 3 && /^[A-Z]{1,2}\d+$/.test(cells[0]) && cells[1] !== "") {
      const proofs = [...cells[2].matchAll(link)].map(([, text, target]) => ({ text, path: fromRoot(target) }))
      rows.push({ name: cells[0], line: index + 1, proofs })
    } else {
      strays.push(index + 1)
    }
  }
  return { rows, strays }
}

/** The names of all rows, in the contract's order. */
export const names = (): ReadonlyArray<string> => inText(readFileSync(file, "utf8")).rows.map(({ name }) => name)
