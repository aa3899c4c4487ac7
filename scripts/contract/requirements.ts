/**
 * Whether the tables of docs/requirements.md link proofs that exist: rows of the contract, files of tests, and, for what is left to
 * the app, the section of a page that tells how the app does it. Decided on texts alone.
 */
import { anchorsIn } from "./anchors.js"
import * as Rows from "./rows.js"

export const file = "docs/requirements.md"

const head = "| requirement | how it is met | proof |"

/** What the last column says of a requirement that the library cannot meet alone. */
const leftToApp = "left to the app"

/**
 * - `pages`: the text of every page of docs/, by its path from the project's root.
 * - `tests`: the paths of all files that may hold tests.
 */
export interface Input {
  readonly pages: ReadonlyMap<string, string>
  readonly tests: ReadonlySet<string>
}

/** The address of each row of the contract: the section that its table is in. */
const addressesOfRows = (contract: string): ReadonlyMap<string, string> => {
  const sections = [...anchorsIn(contract)]
  return new Map(
    Rows.inText(contract).rows.map(({ line, name }) => {
      const section = sections.filter(([, start]) => start < line).at(-1)?.[0] ?? ""
      return [name, `${Rows.file}#${section}`]
    })
  )
}

const isTest = (path: string): boolean =>
  /\.(?:test|tst)\.m?ts$/.test(path) || path.startsWith("src/internal/contract/")

/** What is wrong, one line each, with its place in front; and how many requirements there are. */
export const check = ({ pages, tests }: Input): { readonly rows: number; readonly problems: ReadonlyArray<string> } => {
  const addresses = addressesOfRows(pages.get(Rows.file) ?? "")
  const anchors = new Map([...pages].map(([path, text]) => [path, anchorsIn(text)] as const))
  const problems: Array<string> = []
  let rows = 0

  /** What is wrong with a link to a section; undefined if it is there. */
  const wrongSection = (target: string): string | undefined => {
    const [path, anchor] = target.split("#")
    if (!anchors.has(path)) return `links ${target}, which is not a page of docs/`
    return anchor === undefined || anchors.get(path)!.has(anchor)
      ? undefined
      : `links ${target}, a section that is not there`
  }

  const wrongInProof = (cell: string): ReadonlyArray<string> => {
    const wrong: Array<string | undefined> = []
    let proofs = 0
    let sections = 0
    for (const { path, text } of Rows.linksIn(cell)) {
      if (/^[A-Z]{1,2}\d+$/.test(text)) {
        proofs++
        const address = addresses.get(text)
        if (address === undefined) wrong.push(`links ${text}, which is not a row of ${Rows.file}`)
        else if (path !== address) wrong.push(`links ${text} at ${path}, but the row is at ${address}`)
      } else if (path.startsWith("docs/")) {
        if (path.includes("#")) sections++
        wrong.push(wrongSection(path))
      } else {
        proofs++
        if (text !== path) wrong.push(`names ${text}, but the link leads to ${path}`)
        if (!tests.has(path) || !isTest(path)) wrong.push(`links ${path}, which is not a file of tests`)
      }
    }
    if (cell.includes(leftToApp)) {
      if (sections === 0) wrong.push(`is ${leftToApp}, and links no section that tells how`)
    } else if (proofs === 0) {
      wrong.push(`has no proof: neither a row of the contract nor a file of tests, and it is not "${leftToApp}"`)
    }
    return wrong.filter((problem) => problem !== undefined)
  }

  for (const [index, line] of (pages.get(file) ?? "").split("\n").entries()) {
    if (!line.startsWith("|") || line === head || line === "| --- | --- | --- |") continue
    const cells = Rows.cellsIn(line)
    const report = (problem: string) => problems.push(`${file}:${index + 1} - ${problem}`)
    if (cells.length !== 3 || cells[0] === "" || cells[1] === "") {
      report(`this line of a table is not \`${head}\``)
      continue
    }
    rows++
    const sections = Rows.linksIn(`${cells[0]} ${cells[1]}`).filter(({ path }) => path.startsWith("docs/"))
    const wrong = [...sections.map(({ path }) => wrongSection(path)), ...wrongInProof(cells[2])]
    for (const problem of wrong) if (problem !== undefined) report(`"${cells[0]}" ${problem}`)
  }
  if (rows === 0) problems.push(`${file} has no requirement`)
  return { rows, problems }
}
