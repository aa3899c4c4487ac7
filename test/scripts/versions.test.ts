/** What the packages of the two editions have in common, and where they differ. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
// @ts-expect-error: a script without types
import { versionFor4 } from "../../scripts/versions.mjs"

const manifest = (folder: string) => JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
const three = manifest(".")
const four = manifest("effect4")

describe("the packages of the two editions", () => {
  it("have the same number but for its beginning", () => {
    expect(["0.2.0", "1.0.0", "1.4.2", "1.5.0-next.3"].map(versionFor4)).toEqual([
      "2.0.0-next.0",
      "2.0.0",
      "2.4.2",
      "2.5.0-next.3"
    ])
    expect(four.version).toBe(versionFor4(three.version))
  })

  it("are published under tags of their own, so that a plain install gets the one for Effect 4", () => {
    expect([three.publishConfig, four.publishConfig]).toEqual([
      { access: "public", tag: "effect-3" },
      { access: "public", tag: "latest" }
    ])
  })

  it("have the same sub-paths, files and command, and LegacySchema in one alone", () => {
    const { "./LegacySchema": _, ...exports } = three.exports
    expect(four.exports).toEqual(exports)
    expect([four.files, four.bin, four.name]).toEqual([three.files, three.bin, three.name])
  })
})
