import { describe, expect, test } from "vitest"
import * as Size from "../../scripts/package/size.js"

const packed = (unpackedSize: number, ...paths: ReadonlyArray<string>): Size.Packed => ({
  filename: "package.tgz",
  unpackedSize,
  files: paths.map((path) => ({ path }))
})

const fine = ["dist/index.js", "dist/index.d.ts", "docs/guide.md", "examples/adapter.ts", "package.json"]

describe("what is packed", () => {
  test("built files, declarations, pages and examples are fine up to the limit", () => {
    expect(Size.problemsOf(packed(1000, ...fine), 1000)).toEqual([])
  })

  test("one byte beyond the limit is a problem", () => {
    expect(Size.problemsOf(packed(1001, ...fine), 1000)).toEqual(["the package has 1001 bytes; its limit is 1000"])
  })

  test("a source or a source map is a problem", () => {
    for (const path of ["src/index.ts", "dist/index.js.map", "dist/index.d.ts.map", "test/a.test.mts"]) {
      expect(Size.problemsOf(packed(1, ...fine, path), 1000)).toEqual([
        `the package has 1 files that nobody reads, such as ${path}`
      ])
    }
  })
})
