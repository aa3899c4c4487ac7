/** llms.txt, the site's contents for programs that read: a title, what it is, and each page with a sentence about it. */
import type { Group } from "./navigation.js"

/** The first paragraph of a page, on one line and without links. */
const firstParagraph = (text: string): string =>
  (text.split("\n\n").find((part) => /^[A-Za-z]/.test(part)) ?? "")
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1")
    .replaceAll("\n", " ")

export const index = (
  title: string,
  readme: string,
  groups: ReadonlyArray<Group>,
  addressOf: (file: string) => string
): string =>
  [
    `# ${title}`,
    `> ${firstParagraph(readme)}`,
    ...groups.map(({ entries, title }) =>
      `## ${title}\n\n${
        entries.map((entry) => `- [${entry.title}](${addressOf(entry.file)}): ${entry.about}`).join("\n")
      }`
    )
  ].join("\n\n") + "\n"

/** Every page, one after the other, each under its address. */
export const full = (pages: ReadonlyArray<readonly [address: string, text: string]>): string =>
  pages.map(([address, text]) => `<!-- ${address} -->\n\n${text.trim()}\n`).join("\n")
