import { describe, expect, test } from "vitest"
import * as Programs from "../../scripts/examples/programs.js"

const markdown = (...lines: ReadonlyArray<string>) => Programs.inFile("a.md", lines.join("\n"))
const source = (...lines: ReadonlyArray<string>) => Programs.inFile("src/A.ts", lines.join("\n"))
const messages = (found: Programs.Found) => found.mistakes.map(({ line, message }) => [line, message])

describe("examples in Markdown", () => {
  test("the code of an example keeps the line that it has in the documentation", () => {
    const { mistakes, programs } = markdown("# Title", "", "```ts", "const a = 1", "", "const b = a", "```", "text")
    expect(mistakes).toEqual([])
    expect(programs.map(({ file, line, runs, text }) => ({ file, line, runs, text }))).toEqual([
      { file: "a.md", line: 3, runs: false, text: "\n\n\nconst a = 1\n\nconst b = a\n" }
    ])
  })

  test("a block is a program of its own, unless it continues the one before it", () => {
    const { programs } = markdown(
      "```ts",
      "const a = 1",
      "```",
      "text that is no code",
      "```ts run",
      "// continues",
      "a",
      "```",
      "```ts",
      "const a = 2",
      "```"
    )
    expect(programs.map(({ line, runs, text }) => ({ line, runs, text: text.trim() }))).toEqual([
      { line: 1, runs: true, text: "const a = 1\n\n\n\n// continues\na" },
      { line: 9, runs: false, text: "const a = 2" }
    ])
  })

  test("a block in a comment is the set-up of the block that continues it", () => {
    const { programs } = markdown("<!--", "```ts", "const a = 1", "```", "-->", "```ts", "// continues", "a", "```")
    expect(programs).toHaveLength(1)
  })

  test("a block in a list loses the list's indent, and remembers it", () => {
    const { programs } = markdown("- item", "  ```ts", "  if (a) {", "    b", "  }", "  ```")
    expect(programs[0].text).toBe("\n\nif (a) {\n  b\n}\n")
    expect(programs[0].indents.get(3)).toBe(2)
  })

  test("a longer fence holds a shorter one", () => {
    expect(markdown("````md", "```ts", "not code", "```", "````")).toEqual({ programs: [], mistakes: [] })
  })

  test("no block of code goes unchecked", () => {
    for (const info of ["ts no-check", "typescript", "js", "tsx", "ts twoslash", "TS"]) {
      expect(messages(markdown("", `\`\`\`${info}`, "x", "```"))).toEqual([
        [2, `a block of code is \`ts\` or \`ts run\`, and always checked: \`${info}\` is neither`]
      ])
    }
    for (const info of ["sh", "yaml", "", "text", "json", "tsv"]) {
      expect(markdown(`\`\`\`${info}`, "x", "```")).toEqual({ programs: [], mistakes: [] })
    }
  })

  test("a block of one edition belongs to no program of the other", () => {
    const page = [
      "```ts effect-3",
      "three",
      "```",
      "```ts run effect-4",
      "four",
      "```",
      "<!-- effect-4",
      "```ts",
      "hidden",
      "```",
      "-->",
      "<!-- effect-3: Effect 4 has no such thing -->",
      "```ts",
      "only",
      "```",
      "<!-- /effect-3 -->",
      "```ts",
      "both",
      "```"
    ].join("\n")
    const programs = (edition: 3 | 4) =>
      Programs.inFile("a.md", page, edition).programs.map(({ line, runs, text }) => [line, text.trim(), runs])
    expect(programs(3)).toEqual([[1, "three", false], [13, "only", false], [17, "both", false]])
    expect(programs(4)).toEqual([[4, "four", true], [8, "hidden", false], [17, "both", false]])
  })

  test("a block that continues nothing, or never ends, is a mistake", () => {
    expect(messages(markdown("```ts", "// continues", "```"))[0][0]).toBe(1)
    expect(messages(markdown("text", "```sh", "npm test"))).toEqual([[2, "this block is never closed"]])
    expect(markdown("text", "```ts", "a").mistakes).toHaveLength(1)
  })
})

describe("examples in docstrings", () => {
  test("the comment's own characters are not code, but count for the column", () => {
    const { programs } = source(
      "export interface A {",
      "  /**",
      "   * @example",
      "   * ```ts",
      "   * a",
      "   * ```",
      "   */",
      "}"
    )
    expect(programs[0]).toMatchObject({ file: "src/A.ts", line: 4, text: "\n\n\n\na\n" })
    expect(programs[0].indents.get(4)).toBe(5)
  })

  test("each docstring has a scope of its own", () => {
    const doc = ["/**", " * ```ts", " * // continues", " * ```", " */"]
    expect(source("/**", " * ```ts", " * a", " * ```", " */", ...doc).mistakes.map(({ line }) => line)).toEqual([7])
  })

  test("code and strings outside of docstrings are left alone", () => {
    expect(source("const a = `", "```ts", "b", "```", "`", "// ```ts", "/* ```ts */")).toEqual({
      programs: [],
      mistakes: []
    })
  })

  test("an example without code is a mistake", () => {
    expect(messages(source("/**", " * Text.", " *", " * @example", " * see above", " */"))).toEqual([
      [4, "@example without a `ts` block"]
    ])
  })
})
