/** The parts of addresses that GitHub makes of headings; the documentation's site makes the same. */

export const anchorOf = (heading: string): string =>
  heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(" ", "-")

/** The headings of a page as anchors, each with its line; lines that start with `#` within blocks of code are no headings. */
export const anchorsIn = (markdown: string): ReadonlyMap<string, number> => {
  const anchors = new Map<string, number>()
  let inCode = false
  for (const [index, text] of markdown.split("\n").entries()) {
    if (text.startsWith("```")) inCode = !inCode
    const heading = /^#+ (.*)$/.exec(text)?.[1]
    if (inCode || heading === undefined) continue
    const anchor = anchorOf(heading)
    let name = anchor
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`
    anchors.set(name, index + 1)
  }
  return anchors
}
