/** Whether a wrong example of the documentation is found: with Effect 3, and in `effect4/` with Effect 4. */
import { describe, expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"

const isEffect3 = existsSync("scripts/examples.ts")
const script = isEffect3 ? "scripts/examples.ts" : "../scripts/examples.ts"
const edition = isEffect3 ? 3 : 4

/** What the command says about a page, and how it ends. */
const check = (...lines: ReadonlyArray<string>) => {
  mkdirSync(".examples", { recursive: true })
  const folder = mkdtempSync(resolve(".examples", "pages-"))
  const page = relative(".", join(folder, "page.md"))
  writeFileSync(page, lines.join("\n"))
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--import", "tsx", script, `--edition=${edition}`, "--run", page],
    { encoding: "utf8", env: { ...process.env, TEST_REPORT: undefined } }
  )
  rmSync(folder, { recursive: true })
  return { status, output: stdout.replaceAll(page, "page.md") }
}

describe("the examples of the documentation", () => {
  it("a right one passes, and a wrong type, an unknown name and a program that fails are found", () => {
    const imports = [
      "import { RequestContext, SessionKey } from \"effect-session\"",
      "import { Effect, Schema } from \"effect\""
    ]
    const { output, status } = check(
      ...["# Title", "", "```ts", ...imports],
      "const name: number = SessionKey.make(\"a\", Schema.String).name",
      "RequestContext.getAll",
      ...["```", "```ts run", "process.exit(3)", "```"],
      ...["```ts run", ...imports],
      "const Count = SessionKey.make(\"count\", Schema.Int).withDefault(() => 0)",
      "if (!Effect.isEffect(RequestContext.update(Count, (count) => count + 1))) throw new Error()",
      "```"
    )
    const lines = output.split("\n").filter((line) => line.startsWith("page.md"))
    expect(lines.map((line) => line.slice(0, line.indexOf(" - ", 8) + 9))).toEqual([
      "page.md:6:7 - TS2322",
      "page.md:7:16 - TS2339",
      "page.md:9 - ended "
    ])
    expect(output).toMatch(/^3 examples type-checked, 2 of them run, 2 with problems$/m)
    expect(status).toBe(1)
  }, 180_000)

  it("a name of the other edition is found, and a block of the other edition is left alone", () => {
    const three = ["import { Effect } from \"effect\"", "Effect.zipRight(Effect.void, Effect.void)"]
    const four = ["import { Effect } from \"effect\"", "Effect.result(Effect.void)"]
    const { output, status } = check(
      ...["```ts effect-3", ...three, "```", "```ts effect-4", ...four, "```"],
      ...["```ts effect-3", ...four, "```", "```ts effect-4", ...three, "```"]
    )
    expect(output).toMatch(isEffect3 ? /^page\.md:11:8 - TS.*'result'/m : /^page\.md:15:8 - TS.*'zipRight'/m)
    expect(output).toMatch(/^2 examples type-checked, 0 of them run, 1 with problems$/m)
    expect(status).toBe(1)
  }, 180_000)
})
