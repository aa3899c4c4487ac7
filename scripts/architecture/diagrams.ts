/**
 * The diagrams of docs/architecture.md as edges: a fence `mermaid` whose lines read `name --> name` (an import) or
 * `name -.-> name` (a call through a contract, which no import shows). A node may have a label, `name["label"]`.
 */
export interface Edge {
  readonly from: string
  readonly to: string
  readonly kind: "import" | "call"
  readonly line: number
}

export interface Diagram {
  /** the comment `%% imports: folders` or `%% imports: files` says what the nodes are */
  readonly nodes: "folders" | "files"
  readonly edges: ReadonlyArray<Edge>
  readonly line: number
}

const node = String.raw`([A-Za-z]\w*)(?:\["([^"]+)"\])?`
const arrow = new RegExp(String.raw`^\s*${node}\s*(-->|-\.->)\s*(?:\|[^|]*\|\s*)?${node}\s*$`)
const declared = new RegExp(String.raw`^\s*${node}\s*$`)

export const read = (page: string): ReadonlyArray<Diagram> => {
  const diagrams: Array<Diagram> = []
  const lines = page.split("\n")
  for (let at = 0; at < lines.length; at++) {
    if (lines[at] !== "```mermaid") continue
    const start = at
    const labels = new Map<string, string>()
    const edges: Array<Edge> = []
    let nodes: Diagram["nodes"] | undefined
    for (at++; lines[at] !== "```"; at++) {
      nodes = /^%% imports: (folders|files)$/.exec(lines[at])?.[1] as Diagram["nodes"] | undefined ?? nodes
      const alone = declared.exec(lines[at])
      if (alone?.[2] !== undefined) labels.set(alone[1], alone[2])
      const found = arrow.exec(lines[at])
      if (found === null) continue
      const [, from, fromLabel, kind, to, toLabel] = found
      if (fromLabel !== undefined) labels.set(from, fromLabel)
      if (toLabel !== undefined) labels.set(to, toLabel)
      edges.push({ from, to, kind: kind === "-->" ? "import" : "call", line: at + 1 })
    }
    if (nodes === undefined) continue
    const nameOf = (id: string): string => labels.get(id) ?? id
    diagrams.push({
      nodes,
      line: start + 1,
      edges: edges.map((edge) => ({ ...edge, from: nameOf(edge.from), to: nameOf(edge.to) }))
    })
  }
  return diagrams
}
