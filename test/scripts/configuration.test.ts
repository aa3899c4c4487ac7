import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { keyNames } from "../../src/internal/config/environment.js"
import { environmentName, fields, fileName } from "../../src/internal/config/fields.js"
import { root } from "../support/example.js"

it("F2: the documentation lists every option under its three names", () => {
  const docs = readFileSync(join(root, "docs/configuration.md"), "utf8")
  for (const option of ["enable", ...Object.keys(fields)]) {
    const row = docs.split("\n").find((line) => line.startsWith(`| \`${option}\` |`)) ?? ""
    const [, , inFile, inEnvironment] = row.split("|")
    assert.match(inFile, new RegExp(`^ \`${fileName(option)}\\b`), option)
    assert.strictEqual(inEnvironment.trim(), `\`${environmentName(option)}\``)
  }
  for (const name of keyNames) assert.include(docs, name.replace(/_\d$/, ""))
})
