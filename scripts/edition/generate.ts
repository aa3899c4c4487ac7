/**
 * Writes the package for Effect 4: every source, test and example of this one by the table of renames, or, where a file differs
 * more than by names, the whole file that lies in `editions/4` under the same path.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { filesIn } from "../files.js"
import { pageFor4 } from "./pages.js"
import { exampleRenamer, Leftover, rename } from "./rename.js"
import { exampleShapes } from "./routes.js"
import { imports, members, methods, modules, shapes } from "./table.js"

export interface Generated {
  /** Files that are the same in both editions, to the byte. */
  readonly identical: ReadonlyArray<string>
  readonly renamed: ReadonlyArray<string>
  readonly written: ReadonlyArray<string>
  readonly omitted: ReadonlyArray<string>
  /** Names of Effect 3 that the pages for Effect 4 still have. */
  readonly mixed: ReadonlyArray<string>
  readonly lines: { readonly all: number; readonly identical: number; readonly written: number }
}

/** What the edition for Effect 4 does not have, and why. */
export const omitted: Readonly<Record<string, string>> = {
  "src/LegacySchema.ts": "adapts schemas of Effect 2's @effect/schema, which Effect 4 does not know",
  "src/internal/edition/fiberLocals.ts": "changes the FiberRefs of a fiber, which in Effect 4 are in its context",
  "test/LegacySchema.test.ts": "there is no LegacySchema",
  "test/edition/fiberLocals.test.ts": "there are no FiberRefs",
  "test/sql/libsql.test.ts": "the driver for libSQL was not tried with Effect 4"
}

/** The file at the path, or those in the folder at the path, all relative to `root`. */
export const filesAt = (root: string, path: string): ReadonlyArray<string> =>
  existsSync(join(root, path)) && statSync(join(root, path)).isFile()
    ? [path]
    : filesIn(join(root, path)).map((file) => join(path, file))

/** What is documentation: pages, and what they show. */
export interface Documentation {
  /** Pages by themselves, and folders of pages and pictures. */
  readonly paths: ReadonlyArray<string>
  /** Lays out an example that has changed. */
  readonly format: (code: string) => string
}

/** An example is there to be read: it is laid out, and says how it is started. */
const readable = (text: string, isChanged: boolean, format: (code: string) => string = (code) => code): string =>
  (isChanged ? format(text) : text).replaceAll("npm run example -- ", "npm run edition:4 -- example ")

/** History, and what a page has no say in. */
const copied = /^(CHANGELOG\.md|LICENSE)$|\.(png|svg)$/

/**
 * @throws Leftover with every file that cannot be turned into one for Effect 4, every rule that nothing needs, and every file
 * of `editions/4` that replaces nothing
 */
export const generate = (
  root: string,
  folders: ReadonlyArray<string>,
  to: string,
  checkRules = true,
  documentation?: Documentation
): Generated => {
  const problems: Array<string> = []
  const used = new Set<string>()
  const output = new Map<string, string>()
  const identical: Array<string> = []
  const renamed: Array<string> = []
  const written: Array<string> = []
  const lines = { all: 0, identical: 0, written: 0 }
  const handWritten = (file: string) => join(root, "editions/4", file)
  const left: Array<string> = []
  for (const file of folders.flatMap((folder) => filesAt(root, folder))) {
    if (file in omitted) {
      left.push(file)
      continue
    }
    const before = readFileSync(join(root, file), "utf8")
    const count = before.split("\n").length - 1
    lines.all += count
    if (existsSync(handWritten(file))) {
      const text = readFileSync(handWritten(file), "utf8")
      output.set(file, text)
      written.push(file)
      lines.written += text.split("\n").length - 1
      continue
    }
    if (!/\.[jt]s$/.test(file)) {
      output.set(file, before)
      continue
    }
    try {
      const { text: plain, used: rules } = rename(file, before, documentation?.format)
      const text = file.startsWith("examples/") ? readable(plain, plain !== before, documentation?.format) : plain
      for (const rule of rules) used.add(rule)
      output.set(file, text)
      if (text === before) identical.push(file)
      else renamed.push(file)
      const own = new Set(text.split("\n"))
      lines.identical += before.split("\n").filter((line) => own.has(line)).length - 1
    } catch (error) {
      if (!(error instanceof Leftover)) throw error
      problems.push(error.message)
    }
  }
  for (const file of filesIn(join(root, "editions/4"))) {
    if (folders.some((folder) => file.startsWith(`${folder}/`)) && !output.has(file)) {
      if (!/^src\//.test(file)) output.set(file, readFileSync(join(root, "editions/4", file), "utf8"))
      else problems.push(`editions/4/${file} replaces nothing: there is no ${file}`)
    }
  }
  const mixed: Array<string> = []
  const pictures: Array<string> = []
  for (const file of documentation?.paths.flatMap((path) => filesAt(root, path)) ?? []) {
    if (copied.test(file)) {
      pictures.push(file)
      continue
    }
    try {
      const code = exampleRenamer(file, used, documentation!.format)
      const page = pageFor4(file, readFileSync(join(root, file), "utf8"), code)
      output.set(file, page.text)
      for (const each of page.mixed) mixed.push(each)
    } catch (error) {
      if (!(error instanceof Leftover)) throw error
      problems.push(error.message)
    }
  }
  if (checkRules) {
    for (const rule of unused(used)) problems.push(`scripts/edition/table.ts: nothing needs the rule "${rule}"`)
  }
  if (problems.length > 0) throw new Leftover(problems.join("\n"))
  for (const file of [...folders, ...documentation?.paths ?? []].flatMap((path) => filesAt(to, path))) {
    if (!output.has(file) && !pictures.includes(file)) rmSync(join(to, file))
  }
  for (const file of pictures) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    copyFileSync(join(root, file), join(to, file))
  }
  for (const [file, text] of output) {
    const path = join(to, file)
    // What is the same keeps its time, so that nothing is built anew.
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return { identical, renamed, written, omitted: left, mixed, lines }
}

const unused = (used: ReadonlySet<string>): ReadonlyArray<string> =>
  [
    ...Object.entries(modules)
      .filter(([from, { as, module }]) => from !== module && !(as !== undefined && used.has(`value ${lastOf(from)}`)))
      .map(([from]) => `module ${from}`),
    ...Object.keys(imports).map((name) => `import ${name}`),
    ...Object.keys(members).map((name) => `member ${name}`),
    ...Object.keys(methods).map((name) => `method ${name}`),
    ...[...shapes, ...exampleShapes].map(({ name }) => `shape ${name}`)
  ].filter((rule) => !used.has(rule))

const lastOf = (module: string): string => module.slice(module.lastIndexOf("/") + 1)
