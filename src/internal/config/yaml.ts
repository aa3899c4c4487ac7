/**
 * The block `request_context` out of a YAML text. Only the block becomes data, because what stands beside it is not ours
 * to judge.
 *
 * No message of the parser is passed on: the parser quotes the source, and the source holds a key.
 */
import * as Either from "effect/Either"
import * as YAML from "yaml"

/**
 * The tags of the core schema say nothing that their value does not say by itself, and `!` says that the value is text.
 * `!!binary` is the one tag that adds something: bytes, for a key. Every other tag would be dropped without a word
 * (`!env KEY` would make the text `KEY` the key), whatever prefix hides it (`!!env`, `%TAG`).
 */
const meaningful: ReadonlySet<string> = new Set([
  "!",
  ...["str", "int", "float", "bool", "null", "map", "seq", "binary"].map((name) => `tag:yaml.org,2002:${name}`)
])

/** The parser skips characters that are not base64, so a template or a placeholder would become bytes like a key's. */
const isBase64 = (text: string): boolean => {
  const packed = text.replace(/\s/g, "")
  return packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed)
}

/** The data with the block where it stands in the text and nothing beside it, or what is wrong with the text. */
export const parse = (text: string): Either.Either<unknown, ReadonlyArray<string>> => {
  try {
    return parseDocument(text)
  } catch {
    // The parser and the conversion recurse: a nesting that overflows the stack, or aliases that expand without end.
    return Either.left(["cannot be read, because it is nested too deeply or its aliases expand too far"])
  }
}

const parseDocument = (text: string): Either.Either<unknown, ReadonlyArray<string>> => {
  const lines = new YAML.LineCounter()
  const document = YAML.parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // "silent" would pass over a second document.
    logLevel: "error",
    // A %YAML 1.1 directive must not turn `no` into false and `<<` into a merge.
    schema: "core",
    merge: false
  })
  const at = (offset: number): string => {
    const { col, line } = lines.linePos(offset)
    return `line ${line}, column ${col}`
  }
  if (document.errors.length > 0) {
    const twice = document.errors.filter((error) => error.code === "DUPLICATE_KEY")
    // Syntax errors follow from one another, so that only the first says something.
    const shown = twice.length === document.errors.length ? twice : document.errors.slice(0, 1)
    return Either.left(shown.map((error) => `${syntaxProblem(error.code)} (${at(error.pos[0])})`))
  }
  if (document.contents === null) return Either.left(["is empty"])

  const target = (node: unknown): unknown => YAML.isAlias(node) ? node.resolve(document) : node
  const child = (node: unknown, key: string): unknown => {
    const mapping = target(node)
    return YAML.isMap(mapping) ? mapping.get(key, true) : undefined
  }
  if (!YAML.isMap(target(document.contents))) return Either.left(["must be a mapping at its top level"])

  const problems: Array<string> = []
  const checked = new Set<unknown>()
  /** Checks every node that becomes part of the block, wherever in the document it stands. */
  const check = (node: YAML.Node): void => {
    if (checked.has(node)) return
    YAML.visit(node, {
      Node: (_, node) => {
        if (checked.has(node)) return YAML.visit.SKIP
        checked.add(node)
        if (YAML.isAlias(node)) {
          const anchored = node.resolve(document)
          if (anchored !== undefined) check(anchored)
          return
        }
        const { range, tag } = node
        if (tag === undefined) return
        if (!meaningful.has(tag)) {
          problems.push(
            `has a tag inside request_context, or behind an alias there, that means nothing here (${
              at(range?.[0] ?? 0)
            })`
          )
        } else if (YAML.isScalar(node) && node.value instanceof Uint8Array && !isBase64(node.source ?? "")) {
          problems.push(`has a !!binary value that is not base64 (${at(range?.[0] ?? 0)})`)
        }
      }
    })
  }
  const data = (node: unknown): unknown => {
    if (node === undefined) return undefined
    if (!YAML.isNode(node)) return null
    check(node)
    return node.toJS(document, { maxAliasCount: 100 })
  }
  const nested = child(child(child(document.contents, "server"), "middlewares"), "request_context")
  const root = {
    request_context: data(child(document.contents, "request_context")),
    server: { middlewares: { request_context: data(nested) } }
  }
  return problems.length > 0 ? Either.left(problems) : Either.right(root)
}

const syntaxProblem = (code: YAML.ErrorCode): string => {
  switch (code) {
    case "DUPLICATE_KEY":
      return "has a key twice in one mapping"
    case "MULTIPLE_DOCS":
      return "has several documents; only one is accepted"
    case "RESOURCE_EXHAUSTION":
      return "is nested too deeply"
    default:
      return `is not valid YAML: ${code.toLowerCase().replaceAll("_", " ")}`
  }
}
