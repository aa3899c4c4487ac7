/** The order of the pages, and a sentence about each: what docs/README.md lists. The side bar and llms.txt are made of it. */
import { posix } from "node:path"

export interface Entry {
  readonly title: string
  /** the page's path from the tree's root */
  readonly file: string
  readonly about: string
}

export interface Group {
  readonly title: string
  readonly entries: ReadonlyArray<Entry>
}

export const file = "docs/README.md"

const item = /^- \[([^\]]+)\]\(([^)]+)\): (.+)$/

/** @throws Error if a line of a list is not `- [title](page.md): sentence` */
export const read = (text: string): ReadonlyArray<Group> => {
  const groups: Array<{ title: string; entries: Array<Entry> }> = []
  for (const [index, line] of text.split("\n").entries()) {
    const title = /^## (.+)$/.exec(line)?.[1]
    if (title !== undefined) groups.push({ title, entries: [] })
    if (!line.startsWith("- ")) continue
    const [, name, target, about] = item.exec(line) ?? []
    const group = groups.at(-1)
    if (name === undefined || group === undefined) {
      throw new Error(
        `${file}:${index + 1} - a line of this list is \`- [title](page.md): what it is about\`, under a heading`
      )
    }
    group.entries.push({ title: name, file: posix.join(posix.dirname(file), target), about })
  }
  return groups
}

/** Pages of docs/ that are not listed, and those that are listed twice. */
export const problems = (groups: ReadonlyArray<Group>, pages: ReadonlyArray<string>): ReadonlyArray<string> => {
  const listed = groups.flatMap(({ entries }) => entries.map((entry) => entry.file))
  return [
    ...pages.filter((page) => page !== file && !listed.includes(page)).map((page) => `${file} does not list ${page}`),
    ...listed.filter((page, index) => listed.indexOf(page) !== index).map((page) => `${file} lists ${page} twice`)
  ]
}
