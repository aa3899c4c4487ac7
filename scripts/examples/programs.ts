/** Finds the TypeScript programs in Markdown and in docstrings. Pure: text in, programs out. */
import { type Edition, editionOf, forEdition } from "../edition/pages.js"

/**
 * One program: a fenced block, with the blocks that continue it.
 *
 * `text` has every line of code at the line where it stands in the source, and blank lines elsewhere: a compiler's line
 * numbers are the source's.
 */
export interface Program {
  readonly file: string
  /** of the first block's fence, counted from 1 */
  readonly line: number
  readonly text: string
  readonly runs: boolean
  /** how many characters the source has in front of the code of each line (by index) */
  readonly indents: ReadonlyMap<number, number>
}

export interface Mistake {
  readonly file: string
  readonly line: number
  readonly message: string
}

export interface Found {
  readonly programs: ReadonlyArray<Program>
  readonly mistakes: ReadonlyArray<Mistake>
}

interface Line {
  readonly text: string
  readonly indent: number
}

interface Block {
  readonly line: number
  readonly info: string
  readonly body: ReadonlyArray<Line & { readonly index: number }>
}

const fence = /^(\s*)(`{3,}|~{3,})\s*([^`]*)$/

/** Fenced blocks of some lines that start at `start`; `undefined` in place of a line that belongs to no text. */
const blocksOf = (lines: ReadonlyArray<Line>, start: number): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { readonly mark: string; readonly indent: number; readonly block: Block } | undefined
  const body: Array<Block["body"][number]> = []
  lines.forEach((line, i) => {
    const match = fence.exec(line.text)
    if (open === undefined) {
      if (match === null) return
      open = {
        mark: match[2],
        indent: match[1].length,
        block: { line: start + i + 1, info: match[3].trim(), body: [] }
      }
    } else if (match !== null && match[2].startsWith(open.mark) && match[3].trim() === "") {
      blocks.push({ ...open.block, body: body.splice(0) })
      open = undefined
    } else {
      const indent = Math.min(open.indent, line.text.length - line.text.trimStart().length)
      body.push({ text: line.text.slice(indent), indent: line.indent + indent, index: start + i })
    }
  })
  if (open !== undefined) blocks.push({ ...open.block, info: `${open.block.info} (never closed)`, body })
  return blocks
}

const typeScript = /^(ts|typescript|tsx|mts|cts|js|javascript|jsx|mjs|cjs)\b/i
const continues = /^\/\/ continues\b/

/** `ts`, `ts run`, and the same with the edition that a block belongs to. */
const known = /^ts( run)?( effect-[34])?$/

const programsOf = (file: string, blocks: ReadonlyArray<Block>, edition: Edition): Found => {
  const mistakes: Array<Mistake> = []
  const groups: Array<Array<Block>> = []
  for (const block of blocks) {
    if (!typeScript.test(block.info)) {
      if (block.info.endsWith("(never closed)")) {
        mistakes.push({ file, line: block.line, message: "this block is never closed" })
      }
      continue
    }
    if (!known.test(block.info)) {
      mistakes.push({
        file,
        line: block.line,
        message: `a block of code is \`ts\` or \`ts run\`, and always checked: \`${block.info}\` is neither`
      })
      continue
    }
    if ((editionOf(block.info) ?? edition) !== edition) continue
    const previous = groups.at(-1)
    if (!continues.test(block.body[0]?.text ?? "")) groups.push([block])
    else if (previous !== undefined) previous.push(block)
    else mistakes.push({ file, line: block.line, message: "there is no block before this one that it could continue" })
  }
  const programs = groups.map((group): Program => {
    const last = group.at(-1)!.body.at(-1)?.index ?? 0
    const lines = Array.from({ length: last + 1 }, () => "")
    const indents = new Map<number, number>()
    for (const line of group.flatMap((block) => block.body)) {
      lines[line.index] = line.text
      indents.set(line.index, line.indent)
    }
    return {
      file,
      line: group[0].line,
      text: `${lines.join("\n")}\n`,
      runs: group.some((block) => / run\b/.test(block.info)),
      indents
    }
  })
  return { programs, mistakes }
}

const join = (found: ReadonlyArray<Found>): Found => ({
  programs: found.flatMap((each) => each.programs),
  mistakes: found.flatMap((each) => each.mistakes)
})

/** The programs of a Markdown file; blocks inside an HTML comment too (set-up that a reader need not see). */
export const inMarkdown = (file: string, text: string, edition: Edition = 3): Found => {
  const lines = forEdition(file, text, edition, true).split("\n")
  return programsOf(file, blocksOf(lines.map((line) => ({ text: line, indent: 0 })), 0), edition)
}

/** The programs of a source file's docstrings; each docstring stands for itself. */
export const inSource = (file: string, text: string, edition: Edition): Found => {
  const lines = text.split("\n")
  const found: Array<Found> = []
  for (let start = 0; start < lines.length; start++) {
    if (!/^\s*\/\*\*/.test(lines[start])) continue
    let end = start
    while (end < lines.length - 1 && !lines[end].includes("*/")) end++
    const doc = lines.slice(start, end + 1).map((line): Line => {
      const indent = /^\s*(\/\*\*|\*(?!\/)) ?/.exec(line)?.[0].length ?? 0
      return { text: line.slice(indent), indent }
    })
    const blocks = blocksOf(doc, start)
    const tag = doc.findIndex((line) => line.text.startsWith("@example"))
    found.push(programsOf(file, blocks, edition))
    if (tag !== -1 && !blocks.some((block) => typeScript.test(block.info))) {
      found.push({
        programs: [],
        mistakes: [{ file, line: start + tag + 1, message: "@example without a `ts` block" }]
      })
    }
    start = end
  }
  return join(found)
}

export const inFile = (file: string, text: string, edition: Edition = 3): Found =>
  file.endsWith(".md") ? inMarkdown(file, text, edition) : inSource(file, text, edition)

export const all = (files: Iterable<readonly [file: string, text: string]>, edition: Edition = 3): Found =>
  join(Array.from(files, ([file, text]) => inFile(file, text, edition)))
