import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { root } from "../support/example.js"

it("Git adds neither the key that the example makes nor the cookie jar of the lines that it prints", () => {
  const lines = readFileSync(join(root, ".gitignore"), "utf8").split("\n")
  expect(lines).toEqual(expect.arrayContaining(["/config/*.key", "/jar"]))
})
