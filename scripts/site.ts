/**
 * `npm run site`: builds the documentation's site into site/dist, from README.md, CONTRIBUTING.md, docs/ and the docstrings of
 * src/. A dead link fails the build. With `serve` it also serves the site on loopback.
 *
 * What it needs (VitePress, TypeDoc) is in site/, with a lock file of its own, and is installed when that has changed.
 * `SITE_BASE=/folder/` builds it for a folder of a host.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { filesIn } from "./files.js"
import { install, orExit } from "./install.js"
import * as Links from "./site/links.js"
import * as Llms from "./site/llms.js"
import * as Navigation from "./site/navigation.js"
import * as Pages from "./site/pages.js"
import { type Tree, trees } from "./site/trees.js"

const root = resolve(import.meta.dirname, "..")
const site = join(root, "site")
const pages = join(site, "pages")
const dist = join(site, "dist")
const base = process.env["SITE_BASE"] ?? "/"

const run = (command: string, args: ReadonlyArray<string>): void => orExit("site", command, args, { cwd: site })

const read = (path: string): string => readFileSync(join(root, path), "utf8")

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const kindOf: Pages.Kind = (path) => {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  return stat === undefined ? undefined : stat.isDirectory() ? "folder" : "file"
}

/** The path in the tree, or in the first one if the tree does not have it. */
const inTree = (tree: Tree, path: string): string => existsSync(join(root, tree.root, path)) ? tree.root + path : path

interface Item {
  readonly text: string
  readonly link: string
}

interface Written {
  readonly groups: ReadonlyArray<Navigation.Group>
  readonly sidebar: ReadonlyArray<{ readonly text: string; readonly items: ReadonlyArray<Item> }>
  /** in the order of the navigation: the address from the site's root, and the text */
  readonly texts: ReadonlyArray<readonly [address: string, text: string]>
  readonly sources: Pages.Page["sources"]
  readonly problems: ReadonlyArray<string>
}

const writePages = (tree: Tree): Written => {
  const groups = Navigation.read(read(inTree(tree, Navigation.file)))
  const docs = readdirSync(join(root, tree.root, "docs")).filter((name) => name.endsWith(".md")).map((name) =>
    `docs/${name}`
  )
  const listed = groups.flatMap(({ entries }) => entries.map(({ file }) => file))
  const own = ["README.md", Navigation.file, ...listed].filter((file) => existsSync(join(root, tree.root, file)))
  const rewritten = own.map((file) => [file, Pages.rewrite(tree, file, read(tree.root + file), kindOf)] as const)

  for (const [file, { text }] of rewritten) write(join(pages, tree.base, Pages.nameOf(file)!), text)
  for (const folder of ["images", "benchmarks"]) {
    cpSync(join(root, inTree(tree, `docs/${folder}`)), join(pages, tree.base, folder), { recursive: true })
  }
  const addressOf = (file: string): string =>
    `/${existsSync(join(root, tree.root, file)) ? tree.base : ""}${Pages.nameOf(file)!.replace(/(index)?\.md$/, "")}`
  return {
    groups,
    sidebar: groups.map(({ entries, title }) => ({
      text: title,
      items: entries.map((entry) => ({ text: entry.title, link: addressOf(entry.file) }))
    })),
    texts: rewritten.map(([file, { text }]) => [tree.base + Pages.nameOf(file)!, text] as const),
    sources: rewritten.flatMap(([, { sources }]) => sources),
    problems: [
      ...Navigation.problems(groups, docs).map((problem) => tree.root + problem),
      ...rewritten.flatMap(([, { problems }]) => problems)
    ]
  }
}

/** The pages of the public modules, written from their docstrings. */
const writeReference = (tree: Tree): ReadonlyArray<Item> => {
  const sources = filesIn(join(root, tree.root, "src"), ".ts")
    .filter((file) => !file.startsWith("internal/") && file !== "index.ts" && file !== "cli.ts")
  run(process.execPath, [
    "node_modules/typedoc/bin/typedoc",
    ...["--options", "typedoc.json", "--tsconfig", join(root, tree.root, "tsconfig.json")],
    ...["--out", join(pages, tree.base, "api")],
    ...sources.map((file) => join(root, tree.root, "src", file))
  ])
  return sources.map((file) => file.slice(0, -".ts".length)).map((name) => {
    const address = `${tree.base}api/${name}`
    // a module with a namespace in it is a folder
    const path = [join(pages, `${address}.md`), join(pages, address, "index.md")].find((each) => existsSync(each))!
    write(path, Pages.modulePage(name, readFileSync(path, "utf8"), read(`${tree.root}src/${name}.ts`)))
    return { text: name, link: `/${address}${path.endsWith("index.md") ? "/" : ""}` }
  })
}

/** The files and folders that pages link: a file as plain text, a folder as a page with its files. */
const writeSources = (sources: Pages.Page["sources"]): void => {
  for (const [path, address] of new Map(sources)) {
    if (kindOf(path) === "file") write(join(pages, "public", address), read(path))
    else {
      const files = filesIn(join(root, path)).map((name) => [name, read(`${path}/${name}`)] as const)
      write(join(pages, address), Pages.folderPage(path, files))
    }
  }
}

/** A page for each that only another tree has. */
const writeAbsent = (tree: Tree, others: ReadonlyArray<Tree>): void => {
  for (const other of others) {
    const bases = trees.map(({ base }) => base).filter((base) => base !== other.base && base.startsWith(other.base))
    for (const file of filesIn(join(pages, other.base), ".md")) {
      const path = join(pages, tree.base, file)
      if (existsSync(path) || bases.some((base) => (other.base + file).startsWith(base))) continue
      const name = file.replace(/^.*\//, "").replace(/\.md$/, "")
      write(path, Pages.absentPage(name, other.title, `/${other.base}${file}`))
    }
  }
}

const end = (problems: ReadonlyArray<string>): void => {
  for (const problem of problems) console.error(problem)
  if (problems.length === 0) return
  console.error(`site: ${problems.length} problems`)
  process.exit(1)
}

install("site", site)
rmSync(pages, { recursive: true, force: true })
const built = trees.filter((tree) => existsSync(join(root, tree.root, "docs"))).map((tree) => {
  const written = writePages(tree)
  return { ...tree, ...written }
})
end(built.flatMap(({ problems }) => problems))
writeSources(built.flatMap(({ sources }) => sources))
const navigation = built.map((tree) => ({
  title: tree.title,
  base: `/${tree.base}`,
  sidebar: [...tree.sidebar, { text: "API reference", items: writeReference(tree), collapsed: true }]
}))
write(join(pages, "navigation.json"), JSON.stringify(navigation))
for (const tree of built) writeAbsent(tree, built.filter((other) => other !== tree))

run(process.execPath, ["node_modules/vitepress/bin/vitepress.js", "build", ".", "--base", base])

for (const { texts } of built) for (const [address, text] of texts) write(join(dist, address), text)
const [first] = built
write(
  join(dist, "llms.txt"),
  Llms.index("effect-session", read("README.md"), first.groups, (file) => Pages.nameOf(file)!)
)
write(join(dist, "llms-full.txt"), Llms.full(first.texts))

const files = filesIn(dist)
end(Links.dead({
  base,
  files: new Set(files),
  pages: new Map(files.filter((file) => file.endsWith(".html")).map((file) => [file, read(`site/dist/${file}`)]))
}))
console.log(`site: ${files.filter((file) => file.endsWith(".html")).length} pages in site/dist, no dead link`)
if (process.argv.includes("serve")) {
  run(process.execPath, ["node_modules/vitepress/bin/vitepress.js", "preview", ".", "--base", base])
}
