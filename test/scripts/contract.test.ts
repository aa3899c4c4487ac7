import { describe, expect, test } from "vitest"
import * as Check from "../../scripts/contract/check.js"
import * as Rows from "../../scripts/contract/rows.js"
import * as Titles from "../../scripts/contract/titles.js"

const table = (...rows: ReadonlyArray<string>): string =>
  ["# Contract", "", "| row | promise | proof |", "| --- | --- | --- |", ...rows, "", "- **M1.** Why."].join("\n")

const link = (path: string): string => `[${path}](../${path})`

const problems = (
  contract: string,
  tests: Readonly<Record<string, string>>,
  benchmarks = ""
): ReadonlyArray<string> => Check.problems({ contract, benchmarks, tests: new Map(Object.entries(tests)) })

describe("rows of the contract", () => {
  test("a row has a number, a promise and links, whose paths count from the root of the project", () => {
    const contract = table(
      `| M1 | Lazy. | ${link("test/a.test.ts")}, ${link("src/internal/b.ts")} |`,
      "| S12 | One \\| two. See [the guide](guide.md). | [here](guide.md) |"
    )
    expect(Rows.inText(contract)).toEqual({
      rows: [
        {
          name: "M1",
          line: 5,
          proofs: [
            { text: "test/a.test.ts", path: "test/a.test.ts" },
            { text: "src/internal/b.ts", path: "src/internal/b.ts" }
          ]
        },
        { name: "S12", line: 6, proofs: [{ text: "here", path: "docs/guide.md" }] }
      ],
      strays: []
    })
  })

  test("every other line of a table is reported", () => {
    const contract = table("| M1a | Lazy. | x |", "| M2 | Lazy. |", "| M3 | | x |", "| M4 | One | two. | x |")
    expect(Rows.inText(contract)).toEqual({ rows: [], strays: [5, 6, 7, 8] })
  })

  test("the contract has rows of each of its sections", () => {
    expect([...new Set(Rows.names().map((name) => name[0]))].sort().join("")).toBe("CEFGIKLMNRSUVWX")
  })
})

describe("titles of tests", () => {
  const rowsIn = (...lines: ReadonlyArray<string>) =>
    Titles.inSource(lines.join("\n")).map(({ line, row }) => `${line} ${row}`)

  test("the first argument of a call is a title, however it is put together", () => {
    expect(rowsIn(
      "it(\"M1: a\", () => {})",
      "it.effect.each([1])(`M2: b`, f)",
      "both(",
      "  `M3: ${c}`,",
      "  long)",
      "test(\"M4: d\" + e, f)",
      "test((why ? \"M5: g\" : \"M6: h\"), f)"
    )).toEqual(["1 M1", "2 M2", "4 M3", "6 M4", "7 M5", "7 M6"])
  })

  test("other texts are not titles", () => {
    expect(rowsIn(
      "// it(\"M1: a\", f)",
      "const a = \"M1: a\"",
      "it(\"a test of M1: b\", f)",
      "it(name, \"M1: c\")",
      "it(\"M1 c\", f)",
      "it(\"it(\\\"M1: d\\\")\", f)"
    )).toEqual([])
  })
})

describe("the contract against the tests", () => {
  const tests = { "test/a.test.ts": "it(\"M1: a\", f)\nit(\"S2: b\", f)" }
  const contract = table(`| M1 | Lazy. | ${link("test/a.test.ts")} |`, `| S2 | Final. | ${link("test/a.test.ts")} |`)

  test("a contract whose links and numbers are true has no problems", () => {
    expect(problems(contract, tests)).toEqual([])
  })

  test("a row without a proof is reported", () => {
    expect(problems(table("| M1 | Lazy. | a test |"), { "test/a.test.ts": "it(\"M1: a\", f)" })).toEqual([
      "docs/contract.md:5 - M1 has no link to a test in its last column"
    ])
  })

  test("a link to a file that is not there, or has no tests, is reported", () => {
    for (const path of ["test/gone.test.ts", "src/index.ts"]) {
      expect(problems(table(`| M1 | Lazy. | ${link("test/a.test.ts")} ${link(path)} |`), {
        "test/a.test.ts": "it(\"M1: a\", f)"
      })).toEqual([`docs/contract.md:5 - M1 links ${path}, which is not a file of tests`])
    }
  })

  test("a link to a file without a test of the row is reported", () => {
    expect(problems(contract, { "test/a.test.ts": "it(\"M1: a\", f)\nit(\"a test of S2: b\", f)" })).toEqual([
      "docs/contract.md:6 - S2 links test/a.test.ts, which has no test whose title starts with \"S2: \""
    ])
  })

  test("a link that does not lead where it says is reported", () => {
    expect(problems(table("| M1 | Lazy. | [test/b.test.ts](../test/a.test.ts) |"), {
      "test/a.test.ts": "it(\"M1: a\", f)"
    })).toEqual(["docs/contract.md:5 - M1 names test/b.test.ts, but the link leads to test/a.test.ts"])
  })

  test("a title with a number that is not in the contract is reported, unless it is a target of the benchmarks", () => {
    const more = { ...tests, "test/b.test.ts": "\nit(\"P7: c\", f)\nit(\"M14: d\", f)" }
    expect(problems(contract, more, "| P7 | Redis, commands per request | 1 |\n| M14 | no target | 1 |")).toEqual([
      "test/b.test.ts:3 - the title starts with M14, which is not in docs/contract.md or docs/benchmarks.md"
    ])
    expect(problems(contract, more)).toHaveLength(2)
  })

  test("a row that is there twice, a table that has other lines, and a contract without rows are reported", () => {
    const row = `| M1 | Lazy. | ${link("test/a.test.ts")} |`
    expect(problems(table(row, row, "| M2 | Lazy. |"), { "test/a.test.ts": "it(\"M1: a\", f)" })).toEqual([
      "docs/contract.md:7 - this line of a table is not `| row | promise | proof |` with a number like M5 in front",
      "docs/contract.md:6 - M1 is there twice"
    ])
    expect(problems("# Contract", {})).toEqual(["docs/contract.md has no row"])
  })
})
