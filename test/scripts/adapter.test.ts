import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "../support/example.js"

describe("docs/adapter.md", () => {
  it("shows the adapter that test/SessionStoreContract.test.ts runs the suite over", () => {
    const doc = readFileSync(join(root, "docs/adapter.md"), "utf8")
    const source = readFileSync(join(root, "examples/adapter.ts"), "utf8")
    expect(doc).toContain(`\`\`\`ts\n${source}\`\`\`\n`)
  })
})
