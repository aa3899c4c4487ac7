/** The trees of pages that the site has: one for each edition. */

export interface Tree {
  /** what the site calls it */
  readonly title: string
  /** its folder in the project, with a slash at the end; the project itself has none */
  readonly root: string
  /** where it begins on the site, with a slash at the end; the first tree is the site's beginning */
  readonly base: string
}

/** A tree is built if its folder has pages: those for Effect 4 are written by `npm run edition:4 -- generate`. */
export const trees: ReadonlyArray<Tree> = [
  { title: "Effect 3", root: "", base: "" },
  { title: "Effect 4", root: "effect4/", base: "effect-4/" }
]
