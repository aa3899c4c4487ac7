import { describe, expect, test } from "vitest"
import * as Check from "../../scripts/contract/check.js"
import * as Requirements from "../../scripts/contract/requirements.js"
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

describe("the requirements against the contract, the tests and the pages", () => {
  const contract = [
    "# Contract",
    "",
    "## M. The middleware",
    "",
    "| row | promise | proof |",
    "| --- | --- | --- |",
    "| M1 | Lazy. | x |"
  ]
  const guide = ["# Guide", "## Sign-in, and out!", "## Twice", "## Twice", "```sh", "# no heading", "```"]

  const requirementsOf = (...lines: ReadonlyArray<string>) =>
    Requirements.check({
      pages: new Map([
        ["docs/contract.md", contract.join("\n")],
        ["docs/guide.md", guide.join("\n")],
        ["docs/requirements.md", ["# Requirements", ...lines].join("\n")]
      ]),
      tests: new Set(["test/a.test.ts", "test/support/b.ts", "src/internal/contract/c.ts"])
    })

  /** What is wrong with a requirement whose last column is `proof`. */
  const wrong = (proof: string, how = "So."): ReadonlyArray<string> =>
    requirementsOf("| requirement | how it is met | proof |", "| --- | --- | --- |", `| 7.1 | ${how} | ${proof} |`)
      .problems.map((problem) => problem.replace("docs/requirements.md:4 - \"7.1\" ", ""))

  const row = "[M1](contract.md#m-the-middleware)"
  const app = "left to the app: [sign-in](guide.md#sign-in-and-out)"

  test("a requirement is proven by a row, by a file of tests, or is left to the app with a section that tells how", () => {
    for (const proof of [row, link("test/a.test.ts"), link("src/internal/contract/c.ts"), app, `${row}; ${app}`]) {
      expect([proof, wrong(proof)]).toEqual([proof, []])
    }
    expect(requirementsOf(`| 7.1 | So. | ${row} |`, `| 7.2 | So. | ${app} |`).rows).toBe(2)
  })

  test("a row that the contract does not have, or has in another section, is reported", () => {
    expect(wrong("[M2](contract.md#m-the-middleware)")).toEqual(["links M2, which is not a row of docs/contract.md"])
    expect(wrong(`${row}, [Z9](contract.md)`)).toEqual(["links Z9, which is not a row of docs/contract.md"])
    expect(wrong("[M1](contract.md#k-keys)")).toEqual([
      "links M1 at docs/contract.md#k-keys, but the row is at docs/contract.md#m-the-middleware"
    ])
  })

  test("a file that is not there, or is not one of tests, is reported", () => {
    for (const path of ["test/gone.test.ts", "test/support/b.ts", "src/index.ts"]) {
      expect(wrong(link(path))).toEqual([`links ${path}, which is not a file of tests`])
    }
    expect(wrong("[test/b.test.ts](../test/a.test.ts)")).toEqual([
      "names test/b.test.ts, but the link leads to test/a.test.ts"
    ])
    expect(wrong("[a standard](https://example.com/a.test.ts)")).toContain(
      "links https://example.com/a.test.ts, which is not a file of tests"
    )
  })

  test("a requirement without a proof is reported: a number without a link and a section alone prove nothing", () => {
    const missing = "has no proof: neither a row of the contract nor a file of tests, and it is not \"left to the app\""
    for (const proof of ["", "M1", "obvious", "[sign-in](guide.md#sign-in-and-out)"]) {
      expect(wrong(proof)).toEqual([missing])
    }
  })

  test("what is left to the app without a section that tells how is reported, although the rest is proven", () => {
    const missing = "is left to the app, and links no section that tells how"
    for (const proof of ["left to the app", `${row}; left to the app`, "left to the app: [the guide](guide.md)"]) {
      expect(wrong(proof)).toEqual([missing])
    }
  })

  test("a dead link to a section is reported in each column, and headings are counted as GitHub does", () => {
    const dead = "links docs/guide.md#sign-out, a section that is not there"
    expect(wrong("left to the app: [sign-out](guide.md#sign-out)")).toEqual([dead])
    expect(wrong(row, "See [sign-out](guide.md#sign-out).")).toEqual([dead])
    expect(wrong(row, "See [it](gone.md#a).")).toEqual(["links docs/gone.md#a, which is not a page of docs/"])
    expect(wrong(row, "See [one](guide.md#twice) and [two](guide.md#twice-1).")).toEqual([])
    expect(wrong(row, "See [code](guide.md#no-heading).")).toHaveLength(1)
  })

  test("other lines of a table, and a page without requirements, are reported", () => {
    expect(requirementsOf(`| 7.1 | So. | ${row} |`, "| 7.2 | So. |", `| 7.3 | | ${row} |`).problems).toEqual([
      "docs/requirements.md:3 - this line of a table is not `| requirement | how it is met | proof |`",
      "docs/requirements.md:4 - this line of a table is not `| requirement | how it is met | proof |`"
    ])
    expect(requirementsOf("No table.").problems).toEqual(["docs/requirements.md has no requirement"])
  })
})
