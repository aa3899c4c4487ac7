import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { generate } from "../../scripts/edition/generate.js"
import { Leftover, rename } from "../../scripts/edition/rename.js"
import { root as checkout } from "../support/example.js"

const root = mkdtempSync(join(tmpdir(), "effect-session-edition-"))
afterAll(() => rmSync(root, { recursive: true }))

const notYet = JSON.parse(readFileSync(join(checkout, "effect4/notYet.json"), "utf8")) as Record<string, string>

const write = (files: Readonly<Record<string, string>>): void => {
  rmSync(root, { recursive: true, force: true })
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
}

const generated = (checkRules = false) => generate(root, ["src"], join(root, "effect4"), checkRules)
const read = (file: string) => readFileSync(join(root, "effect4", file), "utf8")

describe("the edition for Effect 4", () => {
  it("leaves out only tests that exist, each with a reason", () => {
    for (const [path, reason] of Object.entries(notYet)) {
      expect([path, existsSync(join(checkout, path.replace("/**", "")))]).toEqual([path, true])
      expect(reason).not.toBe("")
    }
  })

  it("is not written when a source imports what Effect 4 does not have, and the message names both", () => {
    write({
      "src/a.ts": "import * as FiberRefs from \"effect/FiberRefs\"\nexport const a = FiberRefs.empty\n",
      "src/b.ts": "import type { Rpc } from \"@effect/rpc/Rpc\"\nexport type B = Rpc\n"
    })
    expect(() => generated()).toThrow(Leftover)
    expect(() => generated()).toThrow(
      /^src\/a\.ts: the table does not know where Effect 4 has effect\/FiberRefs\. .*\nsrc\/b\.ts: .*@effect\/rpc\/Rpc/
    )
    expect(() => read("src/a.ts")).toThrow(/ENOENT/)
  })

  it("is not written when nothing needs a rule of the table, or a file for Effect 4 replaces nothing", () => {
    write({ "src/a.ts": "export const a = 1\n", "editions/4/src/gone.ts": "export {}\n" })
    expect(() => generated(true)).toThrow(/nothing needs the rule "member Effect\.zipRight"/)
    expect(() => generated()).toThrow(/editions\/4\/src\/gone\.ts replaces nothing/)
  })

  it("takes the file that is written for Effect 4 in place of a generated one", () => {
    write({ "src/a.ts": "import \"effect/FiberRefs\"\n", "editions/4/src/a.ts": "export const a = 4\n" })
    expect(generated()).toMatchObject({ written: ["src/a.ts"], renamed: [], identical: [] })
    expect(read("src/a.ts")).toBe("export const a = 4\n")
  })

  it("replaces a name where it means what the table says, and nowhere else", () => {
    const source = [
      "import * as Effect from \"effect/Effect\"",
      "import * as Either from \"effect/Either\"",
      "const Layer = { scoped: (text: string) => text }",
      "// Effect.zipRight",
      "export const text = \"Effect.zipRight\" + Layer.scoped(\"Either.left\")",
      "export const a = Effect.zipRight(Effect.void, Effect.unsafeMakeSemaphore(1).take(1))",
      "export const b: Either.Either<number, string> = Either.left(\"Left\")",
      ""
    ]
    const { text } = rename("src/a.ts", source.join("\n"))
    expect(text).toBe([
      "import * as Effect from \"effect/Effect\"",
      "import * as Result from \"effect/Result\"",
      "import * as Semaphore from \"effect/Semaphore\"",
      "const Layer = { scoped: (text: string) => text }",
      "// Effect.zipRight",
      "export const text = \"Effect.zipRight\" + Layer.scoped(\"Either.left\")",
      "export const a = Effect.andThen(Effect.void, Semaphore.makeUnsafe(1).take(1))",
      "export const b: Result.Result<number, string> = Result.fail(\"Failure\")",
      ""
    ].join("\n"))
  })

  it("has its own names in the sentences of docstrings, and nowhere else in comments", () => {
    const docstring = (name: string) =>
      ["/**", ` * For \`${name}\`, in a sentence.`, " */", "export const a = 1", ""].join("\n")
    expect(rename("src/a.ts", docstring("HttpLayerRouter")).text).toBe(docstring("HttpRouter"))
    expect(rename("src/a.ts", docstring("Effect.zipRight")).text).toBe(docstring("Effect.andThen"))
    const comment = "// `HttpLayerRouter`\nexport const a = \"`HttpLayerRouter`\"\n"
    expect(rename("src/a.ts", comment).text).toBe(comment)
  })

  it("is the same whenever it is written, and what is already right stays as it is", () => {
    write({ "src/a.ts": "import * as Effect from \"effect/Effect\"\nexport const a = Effect.yieldNow()\n" })
    generated()
    const first = read("src/a.ts")
    expect(first).toContain("Effect.yieldNow\n")
    generated()
    expect(read("src/a.ts")).toBe(first)
    expect(rename("src/a.ts", first).text).toBe(first)
  })
})
