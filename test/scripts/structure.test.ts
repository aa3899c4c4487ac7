import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "../support/example.js"

const cruiser = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs")

/** The rules that a project of these files breaks. */
const broken = (files: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const folder = mkdtempSync(join(tmpdir(), "structure-"))
  try {
    for (const name of [".dependency-cruiser.cjs", "tsconfig.json", "package.json"]) {
      copyFileSync(join(root, name), join(folder, name))
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, "src", name)), { recursive: true })
      writeFileSync(join(folder, "src", name), text)
    }
    const { stdout } = spawnSync(
      process.execPath,
      [cruiser, "src", "--config", ".dependency-cruiser.cjs", "--output-type", "err"],
      { cwd: folder, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } }
    )
    return [...new Set([...stdout.matchAll(/error ([\w-]+): /g)].map(([, rule]) => rule))]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const leaf = "export const value = 1\n"
const importing = (path: string): string => `import { value } from "${path}"\nexport const other = value\n`
const http = "import * as HttpApp from \"@effect/platform/HttpApp\"\nexport const value = HttpApp\n"

describe("the rules about who may import whom", () => {
  const violations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "no-cycles": {
      "internal/store/a.ts": "import type { B } from \"./b.js\"\nexport type A = B | 1\n",
      "internal/store/b.ts": "import type { A } from \"./a.js\"\nexport type B = A | 2\n"
    },
    "http-stays-in-http": { "internal/server/a.ts": http },
    "http-is-the-outermost-layer": { "internal/request/a.ts": importing("../http/b.js"), "internal/http/b.ts": leaf },
    "request-store-codec-know-no-backend": {
      "internal/store/a.ts": importing("../server/b.js"),
      "internal/server/b.ts": leaf
    },
    "sessions-stand-below-what-uses-them": {
      "internal/request/a.ts": importing("../csrf/b.js"),
      "internal/csrf/b.ts": leaf
    },
    "redis-stands-alone": { "internal/redis/a.ts": importing("../request/b.js"), "internal/request/b.ts": leaf },
    "public-modules-stay-outside": {
      "internal/server/a.ts": importing("../../SessionStore.js"),
      "SessionStore.ts": leaf
    },
    "library-without-test-tools": {
      "SessionStore.ts": importing("./internal/testing/a.js"),
      "internal/testing/a.ts": leaf
    }
  }
  for (const [rule, files] of Object.entries(violations)) {
    it(`a project that breaks ${rule} fails by that rule alone`, () => {
      expect(broken(files)).toEqual([rule])
    })
  }

  it("a project that keeps them passes", () => {
    expect(broken({
      "internal/http/a.ts": importing("../request/b.js"),
      "internal/request/b.ts": "export { value } from \"../store/c.js\"\n",
      "internal/store/c.ts": leaf
    })).toEqual([])
  })
})
