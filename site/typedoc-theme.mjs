/**
 * The reference's theme: a signature, and then what the docstring says. What a signature says already is not listed again, and
 * signatures are laid out as people write them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { format } from "prettier"
import { MarkdownTheme, MarkdownThemeContext } from "typedoc-plugin-markdown"

class Context extends MarkdownThemeContext {
  partials = { ...this.partials, signatureReturns: () => "" }
}

class Theme extends MarkdownTheme {
  getRenderContext(page) {
    return new Context(this, page, this.application.options)
  }
}

/** The first block under the heading of an export, or of a part of one. */
const signature = /^(#{3,} (?!Example)[^\n]+\n\n)```ts\n([\s\S]*?)\n```$/gm

const layOut = async (text) => {
  const parts = []
  let end = 0
  for (const found of text.matchAll(signature)) {
    const code = await format(found[2], { parser: "typescript", semi: false, printWidth: 100, trailingComma: "none" })
      .catch(() => found[2])
    parts.push(text.slice(end, found.index), `${found[1]}\`\`\`ts\n${code.trim()}\n\`\`\``)
    end = found.index + found[0].length
  }
  return [...parts, text.slice(end)].join("")
}

export const load = (app) => {
  app.renderer.defineTheme("effect-session", Theme)
  app.renderer.postRenderAsyncJobs.push(async ({ outputDirectory }) => {
    for (const name of readdirSync(outputDirectory, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".md")) continue
      const file = join(outputDirectory, name)
      writeFileSync(file, await layOut(readFileSync(file, "utf8")))
    }
  })
}
