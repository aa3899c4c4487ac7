/** Finds the dead links of the built site: pages, pictures, files and anchors that are not there. Decided on texts alone. */
import { posix } from "node:path"

/**
 * - `pages`: the text of every HTML file, by its path from the site's root
 * - `files`: the path of every file
 * - `base`: where the site will be served, `/` or `/folder/`
 */
export interface Site {
  readonly pages: ReadonlyMap<string, string>
  readonly files: ReadonlySet<string>
  readonly base: string
}

const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`, "g")

const valuesOf = (name: string, html: string): ReadonlyArray<string> =>
  Array.from(
    html.matchAll(attribute(name)),
    ([, value]) => value.replaceAll("&amp;", "&").replaceAll("&quot;", "\"").replaceAll("&#39;", "'")
  )

/** What is wrong, one line each, with the page in front. */
export const dead = ({ base, files, pages }: Site): ReadonlyArray<string> => {
  const anchors = new Map([...pages].map(([path, html]) => [path, new Set(valuesOf("id", html))] as const))

  const problem = (page: string, target: string): string | undefined => {
    if (/^([a-z][a-z\d+.-]*:|\/\/)/i.test(target) || target === "") return undefined
    const [path, anchor] = decodeURI(target).split("#")
    if (path.startsWith("/") && !path.startsWith(base)) return "is outside of the site"
    const found = [path.startsWith("/") ? path.slice(base.length) : posix.join(posix.dirname(page), path)]
      .map((file) => path === "" ? page : file === "." ? "" : file)
      .flatMap((file) => [file, posix.join(file, "index.html")])
      .find((file) => files.has(file))
    if (found === undefined) return "is not there"
    if (anchor === undefined || anchor === "") return undefined
    return anchors.get(found)?.has(anchor) === true ? undefined : "has no such section"
  }

  return [...pages].flatMap(([page, html]) =>
    [...new Set([...valuesOf("href", html), ...valuesOf("src", html)])].flatMap((target) => {
      const found = problem(page, target)
      return found === undefined ? [] : [`${page} - ${target} ${found}`]
    })
  )
}
