import { readFileSync } from "node:fs"
import { defineConfig } from "vitepress"
import { anchorOf } from "../../scripts/contract/anchors.js"

interface Tree {
  readonly title: string
  readonly base: string
  readonly sidebar: ReadonlyArray<
    { readonly text: string; readonly items: ReadonlyArray<{ text: string; link: string }> }
  >
}

/** Written by scripts/site.ts, which starts VitePress. */
const trees: ReadonlyArray<Tree> = JSON.parse(
  readFileSync(new URL("../pages/navigation.json", import.meta.url), "utf8")
)

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

export default defineConfig({
  srcDir: "pages",
  outDir: "dist",
  cacheDir: ".cache",
  lang: "en",
  title: "effect-session",
  description: "Sessions for Effect HTTP apps",
  // no icon, and no request for one
  head: [["link", { rel: "icon", href: "data:," }]],
  // An edition is what VitePress calls a locale: it has pages and a search of its own, and the menu leads to the same page of the other one.
  locales: Object.fromEntries(trees.map(({ base, sidebar, title }) => [
    base === "/" ? "root" : base.slice(1, -1),
    {
      label: title,
      lang: "en",
      link: base,
      themeConfig: {
        nav: [
          { text: "Getting started", link: `${base}getting-started` },
          { text: "All pages", link: `${base}documentation` },
          { text: "API", link: `${base}api/Session`, activeMatch: `^${base}api/` }
        ],
        sidebar
      }
    }
  ])),
  themeConfig: {
    outline: [2, 3],
    langMenuLabel: "Edition",
    search: { provider: "local" }
  },
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    // the same anchors as on GitHub
    anchor: { slugify: anchorOf },
    config: (md) => {
      // text such as `{{…}}` is not for Vue
      md.renderer.rules.code_inline = (tokens, index) => `<code v-pre>${escape(tokens[index].content)}</code>`
      const fence = md.renderer.rules.fence!
      md.renderer.rules.fence = (tokens, index, ...rest) =>
        tokens[index].info.trim() === "mermaid"
          ? `<MermaidDiagram source="${encodeURIComponent(tokens[index].content)}"><pre>${
            escape(tokens[index].content)
          }</pre></MermaidDiagram>`
          : fence(tokens, index, ...rest)
    }
  }
})
