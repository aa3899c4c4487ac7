/** Turns a page of the project into a page of the site: the same text, with links that lead somewhere on the site. */
import { posix } from "node:path"
import { forEdition } from "../edition/pages.js"
import type { Tree } from "./trees.js"

/** What a path of the project is: a file, a folder, or nothing. */
export type Kind = (path: string) => "file" | "folder" | undefined

export interface Page {
  readonly text: string
  /** files and folders that the page links, and that are not pages: where they are in the project, and on the site */
  readonly sources: ReadonlyArray<readonly [path: string, address: string]>
  readonly problems: ReadonlyArray<string>
}

/** The name of a page on the site, without the tree's base; undefined if the path is no page. */
export const nameOf = (path: string): string | undefined => {
  if (path === "README.md") return "index.md"
  if (path === "docs/README.md") return "documentation.md"
  if (path === "CONTRIBUTING.md") return "contributing.md"
  return /^docs\/([^/]+\.md)$/.exec(path)?.[1]
}

/** Where a file or a folder that is not a page stands on the site: its path in the tree, below the tree's base. */
const addressOf = (base: string, path: string, kind: "file" | "folder"): string =>
  `/${base}source/${path}${kind === "file" ? ".txt" : ".md"}`

const isPicture = (path: string): boolean => /\.(png|svg)$/.test(path)

const link = /(\]\()([^)\s]+)(\))/g

/** `path` is the page's path in its tree. */
export const rewrite = ({ base, root }: Tree, path: string, text: string, kindOf: Kind): Page => {
  const sources = new Map<string, string>()
  const problems: Array<string> = []

  const rewriteTarget = (target: string, line: number): string => {
    if (/^[a-z]+:/i.test(target) || target.startsWith("#")) return target
    const [relative, anchor] = target.split("#")
    const hash = anchor === undefined ? "" : `#${anchor}`
    const wanted = posix.join(posix.dirname(path), relative).replace(/\/$/, "")
    // What a further tree does not have is in the first one.
    const from = kindOf(posix.join(root, wanted)) === undefined ? "" : root
    const inProject = posix.join(from, wanted)
    const kind = kindOf(inProject)
    if (kind === undefined) {
      problems.push(`${root}${path}:${line} - links ${target}, which is not there`)
      return target
    }
    const name = nameOf(wanted)
    if (name !== undefined) return `${from === root ? "./" : "/"}${name}${hash}`
    if (isPicture(wanted)) return `./${wanted.replace(/^docs\//, "")}`
    const address = addressOf(from === root ? base : "", wanted, kind)
    sources.set(inProject, address)
    return `${address}${hash}`
  }

  let inCode = false
  // Those for Effect 4 have no marks any more.
  const lines = forEdition(path, text, 3, true).split("\n").map((line, index) => {
    if (/^\s*```/.test(line)) inCode = !inCode
    if (inCode) return line
    return line.replace(
      link,
      (_, open: string, target: string, close: string) => `${open}${rewriteTarget(target, index + 1)}${close}`
    )
  })
  return { text: lines.join("\n"), sources: [...sources], problems }
}

/** What a module's first docstring says, in Markdown. */
const aboutModule = (source: string): string =>
  (/^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1] ?? "")
    .split("\n")
    .map((line) => line.replace(/^ \* ?/, ""))
    .filter((line) => !line.startsWith("@"))
    .join("\n")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`")
    .trim()

/** The reference of a module, with the line that imports it and the module's own docstring under the title. */
export const modulePage = (name: string, reference: string, source: string): string => {
  const [title, ...rest] = reference.split("\n")
  const line = `import * as ${posix.basename(name)} from "effect-session/${name}"`
  return [title, "", "```ts", line, "```", "", aboutModule(source), ...rest].join("\n")
}

/** Stands where only another edition has a page, so that the menu of editions leads nowhere else. */
export const absentPage = (name: string, edition: string, address: string): string =>
  `# ${name}\n\nOnly the edition for ${edition} has this page: [${name}](${address}).\n`

/** The page of a folder: every file in it, as a block of code. */
export const folderPage = (path: string, files: ReadonlyArray<readonly [name: string, text: string]>): string =>
  [
    `# ${path}`,
    ...files.map(([name, text]) => `## ${name}\n\n${fence}${languageOf(name)}\n${text.trimEnd()}\n${fence}`)
  ].join("\n\n") + "\n"

const languageOf = (name: string): string => posix.extname(name).slice(1).replace("svg", "xml")

/** Longer than any fence in the files. */
const fence = "`````"
