/**
 * Titles of tests that start with a row of the contract: `it("M5: …")`, and the same in the shared suites of src/.
 */
import ts from "typescript"

/** `line` is counted from 1. */
export interface Title {
  readonly row: string
  readonly line: number
}

/** The text that a title starts with, whether it is written out, put together, or chosen. */
const startsOf = (node: ts.Expression): ReadonlyArray<string> => {
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node)) return [node.head.text]
  if (ts.isBinaryExpression(node)) return startsOf(node.left)
  if (ts.isConditionalExpression(node)) return [...startsOf(node.whenTrue), ...startsOf(node.whenFalse)]
  return ts.isParenthesizedExpression(node) ? startsOf(node.expression) : []
}

/** A title is the first argument of a call, whatever the function is called. */
export const inSource = (text: string): ReadonlyArray<Title> => {
  const source = ts.createSourceFile("file.ts", text, ts.ScriptTarget.Latest)
  const titles: Array<Title> = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.arguments.length > 0) {
      const [first] = node.arguments
      for (const start of startsOf(first)) {
        const row = /^([A-Z]{1,2}\d+): /.exec(start)?.[1]
        if (row === undefined) continue
        titles.push({ row, line: source.getLineAndCharacterOfPosition(first.getStart(source)).line + 1 })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return titles
}
