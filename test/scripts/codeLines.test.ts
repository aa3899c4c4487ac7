import { describe, expect, test } from "vitest"
import * as CodeLines from "../../scripts/lines/codeLines.js"

const count = (...lines: ReadonlyArray<string>) => CodeLines.count(lines.join("\n"))

describe("lines of code", () => {
  test("comments, docstrings and blank lines do not count", () => {
    expect(count("/**", " * A docstring.", " */", "// a comment", "", "const a = 1 // and another", "  ", "/* a */"))
      .toBe(1)
    expect(count("interface A {", "  /** A docstring. */", "  readonly a: string", "", "}")).toBe(3)
  })

  test("what looks like a comment inside of a string, a template or a regular expression is code", () => {
    expect(count("const a = \"// text\"", "const b = `", "// text", "", "${a}", "/* text */`", "const c = /[`]\\/*/"))
      .toBe(6)
  })

  test("a token that spans several lines counts on each of them", () => {
    expect(count("f(", "  a,", "  // why", "  b", ")")).toBe(4)
    expect(count("")).toBe(0)
  })
})
