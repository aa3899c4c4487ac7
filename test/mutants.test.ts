import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import * as Rows from "../scripts/contract/rows.js"
import { type Mutant, mutants } from "./mutants/mutants.js"

// Whether a test notices each mutant takes long: `npm run mutants`. Here we see only that each one still changes the code.

const nameOf = ({ row, what }: Mutant): string => `${row}, ${what}`

describe("mutants", () => {
  it("every row of docs/contract.md has a mutant, and no mutant has a row that is not in it", () => {
    const rows = Rows.names()
    const broken = new Set(mutants.map(({ row }) => row))
    expect(rows.filter((row) => !broken.has(row))).toEqual([])
    expect([...broken].filter((row) => !rows.includes(row))).toEqual([])
  })

  it("no two mutants have the same name", () => {
    expect(new Set(mutants.map(nameOf)).size).toBe(mutants.length)
  })

  it("the text of each mutant occurs in its file exactly once, and the mutant changes it", () => {
    const sources = new Map(mutants.map(({ file }) => [file, readFileSync(file, "utf8")]))
    const placesOf = ({ file, find }: Mutant): number => sources.get(file)!.split(find).length - 1
    expect(mutants.filter((mutant) => placesOf(mutant) !== 1).map(nameOf)).toEqual([])
    expect(mutants.filter(({ find, replace }) => find === replace).map(nameOf)).toEqual([])
  })
})
