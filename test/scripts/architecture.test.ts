import { describe, expect, it } from "vitest"
import { check, folderOf } from "../../scripts/architecture/check.js"
import * as Diagrams from "../../scripts/architecture/diagrams.js"

const page = (...lines: ReadonlyArray<string>) => ["text", "```mermaid", ...lines, "```", "text"].join("\n")

const imports = [
  ["RequestContext", "internal/http/requestContext"],
  ["internal/http/requestContext", "internal/request/requestSession"],
  ["internal/request/requestSession", "internal/request/stored"]
] as const

const problems = (...lines: ReadonlyArray<string>) => check(Diagrams.read(page(...lines)), imports)

describe("the diagrams of the architecture page", () => {
  it("a file belongs to its folder in internal, and a public module to none", () => {
    expect(["internal/http/respond", "RequestContext", "SessionStore/Redis"].map(folderOf)).toEqual([
      "http",
      "public",
      "public"
    ])
  })

  it("true diagrams have no problems", () => {
    expect(problems("%% imports: folders", "flowchart TD", "  http --> request")).toEqual([])
    expect(
      problems("%% imports: files", "  a[\"RequestContext\"] --> b[\"internal/http/requestContext\"]", "  b -.-> a")
    ).toEqual([])
  })

  it("a folder's import that is drawn and does not exist is a problem, and so is one that is missing", () => {
    expect(problems("%% imports: folders", "  request --> http")).toEqual([
      "line 4: no file imports request → http",
      "line 2: the diagram lacks the import http → request"
    ])
  })

  it("a file that does not exist is a problem, and so is an import of files that is not one", () => {
    expect(problems("%% imports: files", "  a[\"RequestContext\"] --> b[\"internal/gone\"]")).toEqual([
      "line 4: there is no file internal/gone"
    ])
    expect(problems("%% imports: files", "  a[\"RequestContext\"] --> b[\"internal/request/stored\"]")).toEqual([
      "line 4: RequestContext does not import internal/request/stored"
    ])
  })

  it("a diagram that does not say what its nodes are is an illustration, and is not compared", () => {
    expect(problems("flowchart TD", "  anything --> else")).toEqual([])
  })
})
