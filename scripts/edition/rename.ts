/**
 * Turns a TypeScript source for Effect 3 into one for Effect 4 by the table in `table.ts`, on the syntax tree: names are only
 * replaced where they mean what the table says, and never in texts. What the table does not know stays as it is, and an import
 * that Effect 4 does not have is an error.
 */
import ts from "typescript"
import { exampleShapes } from "./routes.js"
import { type Edit, imports, members, methods, type Module, modules, shapes, spans, values } from "./table.js"

export interface Renamed {
  readonly text: string
  /** The rules that were applied, by their names in the table. */
  readonly used: ReadonlySet<string>
}

/** A source that cannot be turned into one for Effect 4; the message names the file and what is left. */
export class Leftover extends Error {
  override readonly name = "Leftover"
}

const isBarrel = (module: string): boolean => /^(effect|@effect\/[^/]+)$/.test(module)

const isPlatform = (module: string): boolean => /^(effect|@effect\/[^/]+)(\/|$)/.test(module)

const placeOf = (file: string, module: string, used: Set<string>): Module => {
  const renamed = modules[module]
  if (renamed === undefined) {
    throw new Leftover(
      `${file}: the table does not know where Effect 4 has ${module}. Say it in scripts/edition/table.ts ("modules"), move `
        + `what needs it into src/internal/edition, or write the whole file editions/4/${file}`
    )
  }
  if (renamed.module !== module) used.add(`module ${module}`)
  return renamed
}

/** `A.B.C` as its text, where the expression or type is made of names only. */
const dotted = (node: ts.Node): string | undefined => {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isPropertyAccessExpression(node)) {
    const left = dotted(node.expression)
    return left === undefined ? undefined : `${left}.${node.name.text}`
  }
  if (ts.isQualifiedName(node)) {
    const left = dotted(node.left)
    return left === undefined ? undefined : `${left}.${node.right.text}`
  }
  return undefined
}

const isNameOf = (node: ts.Node): boolean => {
  const { parent } = node
  return (ts.isPropertyAccessExpression(parent) && parent.name === node)
    || (ts.isQualifiedName(parent) && parent.right === node)
    || (ts.isPropertyAssignment(parent) && parent.name === node)
    || (ts.isPropertySignature(parent) && parent.name === node)
    || (ts.isMethodDeclaration(parent) && parent.name === node)
    || (ts.isPropertyDeclaration(parent) && parent.name === node)
    || (ts.isBindingElement(parent) && parent.propertyName === node)
    || ts.isImportSpecifier(parent) || ts.isNamespaceImport(parent) || ts.isExportSpecifier(parent)
}

const apply = (text: string, edits: ReadonlyArray<Edit>): string => {
  let result = text
  const inOrder = [...edits].sort((a, b) => b.start - a.start || b.end - a.end)
  for (const { end, start, text } of inOrder) result = result.slice(0, start) + text + result.slice(end)
  return result
}

/** Replaces until nothing is left to replace: an edit inside of another one is made in the next pass. */
const passes = (file: string, text: string, pass: (source: ts.SourceFile) => ReadonlyArray<Edit>): string => {
  let current = text
  let last = ""
  for (let i = 0; i < 20; i++) {
    const source = ts.createSourceFile(file, current, ts.ScriptTarget.ES2022, true)
    const all = [...pass(source)].sort((a, b) => a.start - b.start || b.end - a.end)
    const outer: Array<Edit> = []
    for (const edit of all) {
      const last = outer[outer.length - 1]
      if (last === undefined || edit.start >= last.end) outer.push(edit)
    }
    if (outer.length === 0) return current
    last = JSON.stringify(outer[0].text)
    current = apply(current, outer)
  }
  throw new Leftover(
    `${file}: the rules of scripts/edition/table.ts undo each other, such as the one that writes ${last}`
  )
}

/** The names that a source binds to modules of Effect, or, in an example of the documentation, may take for bound. */
const namespaces = (source: ts.SourceFile): ReadonlyMap<string, string> => {
  const bound = new Map<string, string>()
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    const module = statement.moduleSpecifier.text
    const bindings = statement.importClause?.namedBindings
    if (bindings === undefined) continue
    if (ts.isNamespaceImport(bindings)) {
      if (isPlatform(module)) bound.set(bindings.name.text, module.slice(module.lastIndexOf("/") + 1))
    } else if (isPlatform(module) && isBarrel(module)) {
      for (const { name, propertyName } of bindings.elements) bound.set(name.text, (propertyName ?? name).text)
    }
  }
  return bound
}

const renameBody = (file: string, text: string, isExample: boolean, used: Set<string>): string =>
  passes(file, text, (source) => {
    const bound = namespaces(source)
    const edits: Array<Edit> = []
    const canonical = (name: string): string | undefined => {
      const first = name.split(".", 1)[0]
      const namespace = bound.get(first) ?? (isExample ? first : undefined)
      return namespace === undefined ? undefined : namespace + name.slice(first.length)
    }
    const replaceName = (node: ts.Node): boolean => {
      const name = dotted(node)
      const key = name === undefined ? undefined : canonical(name)
      const to = key === undefined ? undefined : members[key]
      if (to === undefined || !Object.hasOwn(members, key!)) return false
      used.add(`member ${key}`)
      edits.push({ start: node.getStart(source), end: node.end, text: to })
      return true
    }
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node)) return
      for (const shape of isExample ? [...exampleShapes, ...shapes] : shapes) {
        const edit = shape.edit(node, source, (node) => {
          const name = dotted(node)
          return name === undefined ? undefined : canonical(name)
        })
        if (edit !== undefined) {
          used.add(`shape ${shape.name}`)
          edits.push(edit)
        }
      }
      if (ts.isPropertyAccessExpression(node) || ts.isQualifiedName(node)) {
        if (replaceName(node)) return
      } else if (ts.isIdentifier(node) && !isNameOf(node)) {
        const key = bound.get(node.text)
        if (key !== undefined && Object.hasOwn(values, key) && values[key] !== node.text) {
          used.add(`value ${key}`)
          edits.push({ start: node.getStart(source), end: node.end, text: values[key] })
        }
      }
      if (ts.isIdentifier(node) && Object.hasOwn(methods, node.text)) {
        const { parent } = node
        if (
          ts.isBindingElement(parent) && parent.name === node && parent.propertyName === undefined
          && ts.isObjectBindingPattern(parent.parent)
        ) {
          used.add(`method ${node.text}`)
          edits.push({ start: node.getStart(source), end: node.end, text: `${methods[node.text]}: ${node.text}` })
        }
        const isMember = isNameOf(node) && !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent)
        if (isMember) {
          used.add(`method ${node.text}`)
          edits.push({ start: node.getStart(source), end: node.end, text: methods[node.text] })
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
    return edits
  })

/** Every name that a source mentions outside of its imports. */
const mentioned = (source: ts.SourceFile): ReadonlySet<string> => {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node) && !isPropertyName(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

const isPropertyName = (node: ts.Identifier): boolean => {
  const { parent } = node
  return (ts.isPropertyAccessExpression(parent) && parent.name === node)
    || (ts.isQualifiedName(parent) && parent.right === node)
    || (ts.isPropertyAssignment(parent) && parent.name === node)
    || (ts.isPropertySignature(parent) && parent.name === node)
}

/**
 * The imports: in Effect 4's places and under its names, without those that a rename has made needless, with those that one
 * has made necessary.
 */
const renameImports = (
  file: string,
  text: string,
  before: string,
  isExample: boolean,
  used: Set<string>,
  given: ReadonlySet<string>
): string => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const original = ts.createSourceFile(file, before, ts.ScriptTarget.ES2022, true)
  const names = mentioned(source)
  const wasMentioned = mentioned(original)
  const wasImported = new Set(namespaces(original).keys())
  const declared = new Set<string>()
  const edits: Array<Edit> = []
  let end = 0
  const keep = (local: string): boolean => names.has(local) || !wasMentioned.has(local)
  for (const statement of source.statements) {
    if (
      (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))
      && statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier)
    ) {
      const module = statement.moduleSpecifier.text
      if (ts.isImportDeclaration(statement)) end = statement.end
      const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined
      if (!isPlatform(module)) {
        if (bindings !== undefined && ts.isNamedImports(bindings)) {
          for (const each of bindings.elements) declared.add(each.name.text)
        } else if (bindings !== undefined) declared.add(bindings.name.text)
        continue
      }
      const isType = ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true ? "type " : ""
      const lines: Array<string> = []
      if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
        const local = bindings.name.text
        const last = module.slice(module.lastIndexOf("/") + 1)
        const alias = local === last ? undefined : local
        const called = alias ?? modules[module]?.as ?? local
        if (keep(local) || names.has(called)) {
          const place = placeOf(file, module, used)
          if (!declared.has(called)) lines.push(`import ${isType}* as ${called} from "${place.module}"`)
          declared.add(called)
        }
      } else if (bindings !== undefined) {
        const byModule = new Map<string, Array<string>>()
        for (const each of bindings.elements) {
          const imported = (each.propertyName ?? each.name).text
          const local = each.name.text
          const aliased = local !== imported
          if (!keep(local) && !aliased) continue
          const own = isExample && imported === "HttpRouter" ? undefined : imports[`${module} ${imported}`]
          if (own !== undefined) used.add(`import ${module} ${imported}`)
          const place = own ?? placeOf(file, module, used)
          const called = (isExample ? values[imported] : undefined) ?? place.names?.[imported] ?? imported
          const kept = aliased || !isExample ? local : called
          const list = byModule.get(place.module) ?? []
          const typed = each.isTypeOnly ? "type " : ""
          list.push(called === kept ? `${typed}${kept}` : `${typed}${called} as ${kept}`)
          declared.add(kept)
          byModule.set(place.module, list)
        }
        for (const name of bindings.elements) {
          const own = imports[`${module} ${(name.propertyName ?? name.name).text}`]
          if (own?.isNamespace === true && keep(name.name.text)) {
            lines.push(`import ${isType}* as ${name.name.text} from "${own.module}"`)
            byModule.delete(own.module)
          }
        }
        for (const [to, list] of byModule) lines.push(`import ${isType}{ ${list.join(", ")} } from "${to}"`)
      } else {
        const place = placeOf(file, module, used)
        edits.push({
          start: statement.moduleSpecifier.getStart(source),
          end: statement.moduleSpecifier.end,
          text: `"${place.module}"`
        })
        continue
      }
      edits.push({ start: statement.getStart(source), end: statement.end, text: lines.join("\n") })
    }
  }
  const missing = [...newNamespaces].filter(([name]) =>
    names.has(name) && !declared.has(name) && !given.has(name) && !isDeclared(source, name)
    && (!wasMentioned.has(name) || (!isExample && wasImported.has(name)))
  )
  if (missing.length > 0) {
    const added = missing.map(([name, module]) =>
      isExample ? `import { ${name} } from "${barrelOf(module)}"` : `import * as ${name} from "${module}"`
    ).join("\n")
    edits.push({ start: end, end, text: end === 0 ? `${added}\n` : `\n${added}` })
  }
  const renamed = apply(text, edits).replace(/^\n+(?=import )/, "")
  return isExample ? mergeImports(file, renamed, given) : renamed
}

const barrelOf = (module: string): string => module.slice(0, module.lastIndexOf("/"))

/** One import for each module, as the examples have them, without what a block before this one has imported. */
const mergeImports = (file: string, text: string, given: ReadonlySet<string>): string => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const byModule = new Map<string, { readonly first: ts.ImportDeclaration; readonly names: Set<string> }>()
  const edits: Array<Edit> = []
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly === true) continue
    const bindings = statement.importClause?.namedBindings
    if (bindings === undefined || !ts.isNamedImports(bindings)) continue
    const module = statement.moduleSpecifier.getText(source)
    const place = byModule.get(module) ?? { first: statement, names: new Set<string>() }
    for (const each of bindings.elements) if (!given.has(each.name.text)) place.names.add(each.getText(source))
    if (place.first !== statement) {
      edits.push({ start: statement.getFullStart(), end: statement.end, text: "" })
    }
    byModule.set(module, place)
  }
  for (const [module, { first, names }] of byModule) {
    const isNeeded = names.size > 0
    edits.push({
      start: first.getStart(source),
      end: isNeeded ? first.end : first.end + 1,
      text: isNeeded ? `import { ${[...names].join(", ")} } from ${module}` : ""
    })
  }
  return apply(text, edits).replace(/^\n+/, "").replace(/^(import .*\n)\n+(?=import )/gm, "$1")
}

const isDeclared = (source: ts.SourceFile, name: string): boolean =>
  source.statements.some((statement) =>
    ((ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
      || ts.isFunctionDeclaration(statement)) && statement.name?.text === name)
    || (ts.isVariableStatement(statement)
      && statement.declarationList.declarations.some((each) => ts.isIdentifier(each.name) && each.name.text === name))
  )

/** Namespaces that a rename may bring in, and where they are. */
const newNamespaces: ReadonlyMap<string, string> = new Map(
  [
    ...Object.values(members),
    ...Object.values(methods),
    ...Object.values(values),
    ...[...shapes, ...exampleShapes].flatMap((each) => each.brings)
  ]
    .flatMap((to) => [...to.matchAll(/\b([A-Z]\w+)\b(?=\.|$)/g)].map(([, name]) => name))
    .flatMap((name) => {
      const place = Object.values(modules).find((each) => each.module.endsWith(`/${name}`))
      return place === undefined ? [] : [[name, place.module] as const]
    })
)

const renameCode = (
  file: string,
  text: string,
  isExample: boolean,
  used: Set<string>,
  given: ReadonlySet<string> = new Set()
): string => renameImports(file, renameBody(file, text, isExample, used), text, isExample, used, given)

/** The names that the statements of a source import or declare. */
const declaredIn = (file: string, text: string): ReadonlyArray<string> => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement)) return []
    const bindings = statement.importClause?.namedBindings
    if (bindings === undefined) return []
    return ts.isNamespaceImport(bindings) ? [bindings.name.text] : bindings.elements.map(({ name }) => name.text)
  })
}

/**
 * Turns the examples of one page or source, in their order: a block that continues the one before it has its imports.
 *
 * @param format lays out what has changed
 */
export const exampleRenamer = (file: string, used: Set<string>, format: (code: string) => string) => {
  let given: ReadonlySet<string> = new Set()
  return (_: string, text: string): string => {
    const before = /^\/\/ continues\b/.test(text) ? given : new Set<string>()
    const renamed = renameCode(file, text, true, used, before)
    given = new Set([...before, ...declaredIn(file, renamed)])
    return renamed === text ? text : format(renamed).trimEnd()
  }
}

/** The examples in the docstrings of a source, each as a source of its own. */
const renameExamples = (file: string, text: string, used: Set<string>, format: (code: string) => string): string => {
  const rename = exampleRenamer(file, used, format)
  return text.replace(
    /^( *\* ?)```(ts[^\n]*)\n((?: *\*[^\n]*\n)*?) *\* ?```$/gm,
    (_, prefix: string, info: string, body: string) => {
      const lines = body.split("\n").slice(0, -1).map((line) => line.replace(/^ *\* ?/, ""))
      const starred = rename(info, lines.join("\n")).split("\n").map((line) => `${prefix}${line}`.trimEnd())
      return [`${prefix}\`\`\`${info}`, ...starred, `${prefix}\`\`\``].join("\n")
    }
  )
}

/** A name in a sentence, between backticks. */
const renameSpan = (span: string): string => {
  const rule = spans.find(([from]) => from.test(span))
  if (rule !== undefined) return span.replace(...rule)
  return span.replace(/\b[A-Z]\w*\.\w+(?:\.\w+)?\b/g, (name) => Object.hasOwn(members, name) ? members[name] : name)
}

export const renameSpans = (line: string): string =>
  line.replace(/`([^`\n]+)`/g, (_, span: string) => `\`${renameSpan(span)}\``)

/** The sentences of a source's docstrings. */
const renameSentences = (text: string): string => {
  let inCode = false
  let inDocstring = false
  return text.split("\n").map((line) => {
    if (/^\s*\/\*\*/.test(line)) inDocstring = true
    if (inDocstring && /^\s*\* ?```/.test(line)) inCode = !inCode
    const isSentence = inDocstring && !inCode
    if (line.includes("*/")) inDocstring = false
    return isSentence ? renameSpans(line) : line
  }).join("\n")
}

/** @throws Leftover */
export const rename = (file: string, text: string, format: (code: string) => string = (code) => code): Renamed => {
  const used = new Set<string>()
  const code = renameCode(file, text, false, used)
  const result = renameExamples(file, code, used, format)
  return { text: renameSentences(result), used }
}
