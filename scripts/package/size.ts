/**
 * What somebody who installs the package gets: no file that nobody reads, and no more bytes than today.
 *
 * Neither the sources nor source maps are in it. The built files have the comments of the sources, and lines that look like theirs, so
 * that a stack trace and "go to definition" lead to something readable without them. Both together were more than half of the package.
 */

/** What `npm pack --json` says of a pack. */
export interface Packed {
  readonly filename: string
  readonly unpackedSize: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** The first thing in what `npm pack --json` prints. */
export const parse = (json: string): Packed => (JSON.parse(json) as ReadonlyArray<Packed>)[0]

/** A source map, or a source that is neither a declaration nor an example. */
const isUnread = (path: string): boolean =>
  path.endsWith(".map") || (/\.[cm]?ts$/.test(path) && !/\.d\.[cm]?ts$/.test(path) && !path.startsWith("examples/"))

/** `maxBytes`: the bytes that the unpacked files may have. Raise it only with a reason. */
export const problemsOf = ({ files, unpackedSize }: Packed, maxBytes: number): ReadonlyArray<string> => {
  const unread = files.filter(({ path }) => isUnread(path))
  return [
    ...unread.length > 0 ? [`the package has ${unread.length} files that nobody reads, such as ${unread[0].path}`] : [],
    ...unpackedSize > maxBytes ? [`the package has ${unpackedSize} bytes; its limit is ${maxBytes}`] : []
  ]
}
