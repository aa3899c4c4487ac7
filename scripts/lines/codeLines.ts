/**
 * Which lines of a TypeScript file hold code: comments, docstrings and blank lines do not count.
 */
import ts from "typescript"

const isDocstring = (node: ts.Node): boolean =>
  node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode

/** The number of lines on which a token of the program stands. A blank line inside of a template string is blank. */
export const count = (text: string): number => {
  const source = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest)
  const blank = text.split(/\r\n|\n|\r/).map((line) => line.trim() === "")
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (isDocstring(node)) return
    const children = node.getChildren(source)
    for (const child of children) visit(child)
    if (children.length > 0 || node.getEnd() === node.getStart(source)) return
    const last = source.getLineAndCharacterOfPosition(node.getEnd()).line
    for (let line = source.getLineAndCharacterOfPosition(node.getStart(source)).line; line <= last; line++) {
      if (!blank[line]) lines.add(line)
    }
  }
  visit(source)
  return lines.size
}
