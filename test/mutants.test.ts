import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { type Mutant, mutants, rows } from "./mutants/mutants.js"

// Whether a test notices each mutant takes long: `npm run mutants`. Here we see only that each one still changes the code.

const nameOf = ({ row, what }: Mutant): string => `${row}, ${what}`

describe("mutants", () => {
  it("every row of the contract has a mutant, and no mutant has another row", () => {
    expect(new Set(mutants.map(({ row }) => row))).toEqual(new Set(rows))
    expect(new Set(rows).size).toBe(56)
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
