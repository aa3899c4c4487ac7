import { describe, expect, it } from "@effect/vitest"
import { filesIn } from "../../scripts/files.js"
import * as Links from "../../scripts/site/links.js"
import * as Llms from "../../scripts/site/llms.js"
import * as Navigation from "../../scripts/site/navigation.js"
import * as Pages from "../../scripts/site/pages.js"

const built: Readonly<Record<string, string>> = {
  "index.html": `<h1 id="shop">Shop</h1><a href="/keys.html#make-a-key">keys</a><a href="#shop">top</a>
    <a href="https://effect.website">Effect</a><img src="/assets/shop.png">`,
  "keys.html":
    `<h2 id="make-a-key" tabindex="-1">Make a key</h2><a href="./index.html">start</a><a href="/api/">all</a>`,
  "api/index.html": `<a href="../keys.html">keys</a><a href="/">start</a>`,
  "assets/shop.png": ""
}

const dead = (changed: Readonly<Record<string, string>> = {}, base = "/") => {
  const files = Object.entries({ ...built, ...changed })
  return Links.dead({
    base,
    files: new Set(files.map(([path]) => path)),
    pages: new Map(files.filter(([path]) => path.endsWith(".html")))
  })
}

describe("dead links of the site", () => {
  it("are not seen where there are none", () => {
    expect(dead()).toEqual([])
  })

  it("are found: a page, a section and a picture that are not there", () => {
    const page =
      `<a href="/sign-out.html">a</a> <a class="x" href="/keys.html#lose-a-key">b</a> <img src="/assets/none.png">`
    expect(dead({ "stores.html": page })).toEqual([
      "stores.html - /sign-out.html is not there",
      "stores.html - /keys.html#lose-a-key has no such section",
      "stores.html - /assets/none.png is not there"
    ])
  })

  it("are found below the page's own folder, and in the page itself", () => {
    expect(dead({ "api/Flash.html": `<a href="index.html">a</a><a href="keys.html">b</a><a href="#none">c</a>` }))
      .toEqual([
        "api/Flash.html - keys.html is not there",
        "api/Flash.html - #none has no such section"
      ])
  })

  it("are found in a site that is served from a folder", () => {
    const inFolder = Object.fromEntries(
      Object.entries(built).map(([path, html]) => [path, html.replaceAll("\"/", "\"/docs/")])
    )
    expect(dead(inFolder, "/docs/")).toEqual([])
    expect(dead({ ...inFolder, "keys.html": `<h2 id="make-a-key"></h2><a href="/index.html">a</a>` }, "/docs/"))
      .toEqual([
        "keys.html - /index.html is outside of the site"
      ])
  })
})

const project: Readonly<Record<string, ReturnType<Pages.Kind>>> = {
  "README.md": "file",
  "docs/keys.md": "file",
  "docs/images/shop.png": "file",
  "test/keys.test.ts": "file",
  "examples/web": "folder",
  "effect4/docs/keys.md": "file",
  "effect4/examples/web": "folder"
}

const effect3 = { title: "Effect 3", root: "", base: "" }
const effect4 = { title: "Effect 4", root: "effect4/", base: "effect-4/" }

const rewrite = (text: string, tree = effect3, path = "docs/stores.md") =>
  Pages.rewrite(tree, path, text, (wanted) => project[wanted])

describe("a page of the site", () => {
  it("links the other pages by their names on the site", () => {
    expect(rewrite("[a](keys.md#make-a-key) [b](../README.md) [c](#here) [d](https://effect.website)").text)
      .toBe("[a](./keys.md#make-a-key) [b](./index.md) [c](#here) [d](https://effect.website)")
    expect(rewrite("[a](docs/keys.md) ![b](docs/images/shop.png)", effect3, "README.md").text)
      .toBe("[a](./keys.md) ![b](./images/shop.png)")
  })

  it("links files of the project as text, and folders as pages", () => {
    const { sources, text } = rewrite("[a](../test/keys.test.ts) [b](../examples/web)")
    expect(text).toBe("[a](/source/test/keys.test.ts.txt) [b](/source/examples/web.md)")
    expect(sources).toEqual([
      ["test/keys.test.ts", "/source/test/keys.test.ts.txt"],
      ["examples/web", "/source/examples/web.md"]
    ])
  })

  it("is reported when it links a file that is not there", () => {
    expect(rewrite("text\n[a](locks.md)").problems).toEqual(["docs/stores.md:2 - links locks.md, which is not there"])
  })

  it("keeps what looks like a link in a block of code", () => {
    expect(rewrite("```ts\nconst a = [b](c.md)\n```")).toEqual({
      text: "```ts\nconst a = [b](c.md)\n```",
      sources: [],
      problems: []
    })
  })

  it("of another edition links the first edition for what it does not have", () => {
    expect(rewrite("[a](keys.md) [b](../README.md) [c](../test/keys.test.ts) [d](../examples/web)", effect4).text)
      .toBe("[a](./keys.md) [b](/index.md) [c](/source/test/keys.test.ts.txt) [d](/effect-4/source/examples/web.md)")
  })
})

const list = `# Documentation

## Start

- [Keys](keys.md): make one
- [Contributing](../CONTRIBUTING.md): commands
`

describe("the navigation of the site", () => {
  it("is the list of docs/README.md", () => {
    expect(Navigation.read(list)).toEqual([{
      title: "Start",
      entries: [
        { title: "Keys", file: "docs/keys.md", about: "make one" },
        { title: "Contributing", file: "CONTRIBUTING.md", about: "commands" }
      ]
    }])
  })

  it("lists every page, once", () => {
    const groups = Navigation.read(`${list}- [Keys again](keys.md): twice\n`)
    expect(Navigation.problems(groups, ["docs/README.md", "docs/keys.md", "docs/stores.md"])).toEqual([
      "docs/README.md does not list docs/stores.md",
      "docs/README.md lists docs/keys.md twice"
    ])
  })

  it("refuses an entry without a sentence", () => {
    expect(() => Navigation.read("## Start\n\n- [Keys](keys.md)\n")).toThrow("docs/README.md:3")
  })
})

describe("llms.txt", () => {
  it("says what the library is, and lists every page with its sentence", () => {
    const readme = "# shop\n\nShop sells [tea](tea.md)\nand coffee.\n\nMore.\n"
    expect(Llms.index("shop", readme, Navigation.read(list), (file) => Pages.nameOf(file)!)).toBe(`# shop

> Shop sells tea and coffee.

## Start

- [Keys](keys.md): make one
- [Contributing](contributing.md): commands
`)
  })
})

describe("the reference of a module", () => {
  it("begins with the line that imports it and with the module's docstring", () => {
    const source = "/**\n * Keys of {@link Store}.\n *\n * @since 0.1.0\n */\nimport a from \"a\"\n"
    expect(Pages.modulePage("Store/Keys", "# Store/Keys\n\n## models\n", source)).toBe(
      "# Store/Keys\n\n```ts\nimport * as Keys from \"effect-session/Store/Keys\"\n```\n\nKeys of `Store`.\n\n## models\n"
    )
  })
})

describe("the files of a folder", () => {
  it("have their whole names, whether or not the folder's name ends with a slash", () => {
    const folder = new URL("../../docs", import.meta.url).pathname
    expect(filesIn(folder, ".md")).toEqual(expect.arrayContaining(["README.md", "sign-in.md"]))
    expect(filesIn(`${folder}/`, ".md")).toEqual(filesIn(folder, ".md"))
    expect(filesIn(`${folder}/nowhere`)).toEqual([])
  })
})
