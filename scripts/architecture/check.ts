/**
 * What a page's diagrams say that the code does not, and the reverse.
 */
import type { Diagram } from "./diagrams.js"

/** Every import of a file of src by another one, as paths below src without their ending. */
export type Imports = ReadonlyArray<readonly [from: string, to: string]>

/** `internal/request/stored` is in the folder `request`; a public module is in `public`. */
export const folderOf = (file: string): string => {
  const [first, second, ...rest] = file.split("/")
  return first === "internal" && rest.length > 0 ? second : "public"
}

const pairs = (imports: Imports): ReadonlySet<string> => new Set(imports.map(([from, to]) => `${from} → ${to}`))

export const check = (diagrams: ReadonlyArray<Diagram>, imports: Imports): ReadonlyArray<string> =>
  diagrams.flatMap((diagram) => diagram.nodes === "folders" ? folders(diagram, imports) : files(diagram, imports))

/** Exactly the imports between folders, none missing and none made up. */
const folders = ({ edges, line }: Diagram, imports: Imports): ReadonlyArray<string> => {
  const drawn = new Map(edges.map((edge) => [`${edge.from} → ${edge.to}`, edge.line]))
  const named = new Set(edges.flatMap(({ from, to }) => [from, to]))
  const real = pairs(
    imports.map(([from, to]) => [folderOf(from), folderOf(to)] as const)
      .filter(([from, to]) => from !== to && named.has(from) && named.has(to))
  )
  return [
    ...[...drawn].filter(([edge]) => !real.has(edge)).map(([edge, line]) => `line ${line}: no file imports ${edge}`),
    ...[...real].filter((edge) => !drawn.has(edge)).map((edge) => `line ${line}: the diagram lacks the import ${edge}`)
  ]
}

/** Every drawn import is one; what a diagram of files leaves out, it may leave out. A called file has to exist. */
const files = ({ edges }: Diagram, imports: Imports): ReadonlyArray<string> => {
  const real = pairs(imports)
  const known = new Set(imports.flat())
  return edges.flatMap(({ from, kind, line, to }) => [
    ...[from, to].filter((file) => !known.has(file)).map((file) => `line ${line}: there is no file ${file}`),
    ...(kind === "import" && known.has(from) && known.has(to) && !real.has(`${from} → ${to}`)
      ? [`line ${line}: ${from} does not import ${to}`]
      : [])
  ])
}
