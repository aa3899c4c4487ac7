/**
 * The pages of the documentation, for the readers of one edition. A page is written for Effect 3; its blocks of code are renamed
 * for Effect 4, and so are the names in its sentences. What has another text there is marked:
 *
 * - `<!-- effect-3 -->` … `<!-- /effect-3 -->`, each in a line of its own: for readers of Effect 3 alone. The reason may follow
 *   after a colon.
 * - `<!-- effect-4` … `-->`, each in a line of its own: for readers of Effect 4 alone, and hidden where the page is shown as it is.
 * - `a line <!-- effect-3 -->`: this line, such as a row of a table, is for readers of Effect 3.
 * - `a line <!-- effect-4: another line -->`: readers of Effect 4 see the other line.
 * - `ts effect-3` and `ts effect-4` as the language of a block: readers of both editions see it, and it belongs to one of them.
 * - `<!-- both editions -->`: the page is about both, and nothing of it is renamed but its blocks.
 */
import { Leftover, renameSpans } from "./rename.js"

export type Edition = 3 | 4

const opens3 = /^\s*<!-- effect-3(?:: .*)? -->\s*$/
const closes3 = /^\s*<!-- \/effect-3 -->\s*$/
const opens4 = /^\s*<!-- effect-4\s*$/
const closes4 = /^\s*-->\s*$/
const only3 = /^(.*\S)\s*<!-- effect-3(?:: .*)? -->\s*$/
const instead = /^(.*\S)\s*<!-- effect-4: (.*\S)\s*-->\s*$/
const fence = /^(\s*)(`{3,}|~{3,})\s*([^`]*)$/

/**
 * The page as readers of the edition see it. With `keepLines`, an empty line takes the place of each that is left out.
 *
 * @throws Leftover where a mark is never closed, or closes nothing
 */
export const forEdition = (file: string, page: string, edition: Edition, keepLines = false): string => {
  const lines: Array<string> = []
  let region: { readonly of: Edition; readonly line: number } | undefined
  const leaveOut = () => {
    if (keepLines) lines.push("")
  }
  for (const [i, line] of page.split("\n").entries()) {
    const row = only3.exec(line)
    const other = instead.exec(line)
    if (opens3.test(line) || opens4.test(line)) {
      if (region !== undefined) {
        throw new Leftover(`${file}:${i + 1}: the mark in line ${region.line} is not closed yet`)
      }
      region = { of: opens3.test(line) ? 3 : 4, line: i + 1 }
      leaveOut()
    } else if (closes3.test(line) || (region?.of === 4 && closes4.test(line))) {
      if (region?.of !== (closes3.test(line) ? 3 : 4)) throw new Leftover(`${file}:${i + 1}: this mark closes nothing`)
      region = undefined
      leaveOut()
    } else if (region !== undefined) {
      if (region.of === edition) {
        lines.push(edition === 4 ? line.replace(/^(\s*```ts)\b(?! effect-)/, "$1 effect-4") : line)
      } else leaveOut()
    } else if (row !== null) {
      if (edition === 3) lines.push(row[1])
      else leaveOut()
    } else if (other !== null) lines.push(edition === 3 ? other[1] : other[2])
    else lines.push(line)
  }
  if (region !== undefined) throw new Leftover(`${file}:${region.line}: this mark is never closed`)
  return lines.join("\n")
}

/** Whether a block of code belongs to one edition, by what its fence says: `ts run effect-4`. */
export const editionOf = (info: string): Edition | undefined => {
  const [, edition] = /(?:^|\s)effect-([34])(?:\s|$)/.exec(info) ?? []
  return edition === undefined ? undefined : Number(edition) as Edition
}

const isAboutBoth = (page: string): boolean => /^<!-- both editions -->$/m.test(page)

/** What no page for Effect 4 names, unless it is about both editions. */
const foreign =
  /@effect\/(?:platform(?!-)|rpc|schema|sql(?!-))|HttpLayerRouter|\bHttpApp\b|HttpRouter\.(?:empty|concat)|LegacySchema/

export interface Page {
  readonly text: string
  /** Names of Effect 3 that are left, each with its line in the new page. */
  readonly mixed: ReadonlyArray<string>
}

/**
 * The page for Effect 4.
 *
 * @param code turns a block of code into one for Effect 4
 */
export const pageFor4 = (file: string, page: string, code: (info: string, text: string) => string): Page => {
  const both = isAboutBoth(page)
  const result: Array<string> = []
  const mixed: Array<string> = []
  let open: { readonly mark: string; readonly indent: string; readonly info: string } | undefined
  const block: Array<string> = []
  const note = (line: string) => {
    const [name] = foreign.exec(line) ?? []
    if (name !== undefined && !both) mixed.push(`${file}:${result.length + 1}: ${name} is a name of Effect 3`)
    result.push(line)
  }
  for (const line of forEdition(file, page, 4).split("\n")) {
    const match = fence.exec(line)
    if (open === undefined) {
      if (match !== null) {
        open = { mark: match[2], indent: match[1], info: match[3].trim() }
        result.push(line)
      } else note(both ? line : renameSpans(line))
    } else if (match !== null && match[2].startsWith(open.mark) && match[3].trim() === "") {
      const { indent, info } = open
      const before = block.splice(0).map((each) => each.startsWith(indent) ? each.slice(indent.length) : each)
      const isCode = /^ts\b/.test(info) && editionOf(info) === undefined
      const after = isCode ? code(info, before.join("\n")).split("\n") : before
      for (const each of after) {
        const text = each === "" ? "" : indent + each
        if (editionOf(info) === 3) result.push(text)
        else note(text)
      }
      result.push(line)
      open = undefined
    } else block.push(line)
  }
  return { text: result.join("\n"), mixed }
}
