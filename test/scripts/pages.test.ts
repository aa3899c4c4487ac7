import { describe, expect, it } from "vitest"
import { forEdition, pageFor4 } from "../../scripts/edition/pages.js"
import { exampleRenamer, Leftover } from "../../scripts/edition/rename.js"

const page = (...lines: ReadonlyArray<string>) => lines.join("\n")

const for4 = (...lines: ReadonlyArray<string>) =>
  pageFor4("docs/a.md", page(...lines), exampleRenamer("docs/a.md", new Set(), (code) => code))

describe("a page for the readers of one edition", () => {
  const text = page(
    "for all",
    "<!-- effect-3: Effect 4 has no such thing -->",
    "for three",
    "<!-- /effect-3 -->",
    "<!-- effect-4",
    "for four",
    "-->",
    "| a | 3 | <!-- effect-4: | a | 4 | -->",
    "| b | 3 | <!-- effect-3 -->",
    "<!-- a comment of another kind -->"
  )

  it("has what is for all and what is for them, and none of the marks", () => {
    const end = "<!-- a comment of another kind -->"
    expect(forEdition("a.md", text, 3)).toBe(page("for all", "for three", "| a | 3 |", "| b | 3 |", end))
    expect(forEdition("a.md", text, 4)).toBe(page("for all", "for four", "| a | 4 |", end))
  })

  it("keeps the number of each line where it is asked to", () => {
    for (const edition of [3, 4] as const) {
      const lines = forEdition("a.md", text, edition, true).split("\n")
      expect(lines).toHaveLength(10)
      expect(lines.indexOf(edition === 3 ? "for three" : "for four")).toBe(edition === 3 ? 2 : 5)
    }
  })

  it("is refused with the line of a mark that is never closed, or closes nothing", () => {
    for (
      const [lines, problem] of [
        [["text", "<!-- effect-3 -->", "text"], "a.md:2: this mark is never closed"],
        [["<!-- effect-4", "text"], "a.md:1: this mark is never closed"],
        [["<!-- /effect-3 -->"], "a.md:1: this mark closes nothing"],
        [["<!-- effect-4", "<!-- /effect-3 -->"], "a.md:2: this mark closes nothing"],
        [["<!-- effect-3 -->", "<!-- effect-4", "-->"], "a.md:2: the mark in line 1 is not closed yet"]
      ] as const
    ) {
      for (const edition of [3, 4] as const) {
        expect(() => forEdition("a.md", page(...lines), edition)).toThrow(new Leftover(problem))
      }
    }
  })
})

describe("a page for Effect 4", () => {
  it("has its blocks of code in Effect 4's names, also a hidden one, and not those of one edition", () => {
    const code = ["import { Effect } from \"effect\"", "Effect.zipRight(a, b)"]
    const { text } = for4(
      ...["<!--", "```ts", ...code, "```", "-->"],
      ...["- item", "  ```ts run", "  // continues", "  Effect.either(a)", "  ```"],
      ...["```ts effect-3", ...code, "```"],
      ...["<!-- effect-4", "```ts", "Effect.zipRight", "```", "-->"],
      ...["```sh", "echo Effect.zipRight", "```"]
    )
    expect(text).toBe(page(
      ...["<!--", "```ts", code[0], "Effect.andThen(a, b)", "```", "-->"],
      ...["- item", "  ```ts run", "  // continues", "  Effect.result(a)", "  ```"],
      ...["```ts effect-3", ...code, "```"],
      ...["```ts effect-4", "Effect.zipRight", "```"],
      ...["```sh", "echo Effect.zipRight", "```"]
    ))
  })

  it("has the routes of an app as layers, and what surrounds them in the same order", () => {
    const { text } = for4(
      "```ts",
      "import { HttpRouter, HttpServer } from \"@effect/platform\"",
      "import { RequestContext, RequestId } from \"effect-session\"",
      "const app = HttpRouter.empty.pipe(",
      "  HttpRouter.get(\"/a\", a), // first",
      "  HttpRouter.concat(others),",
      "  RequestContext.middleware,",
      "  RequestId.middlewareWith({ trustInbound: false }) // last",
      ")",
      "HttpServer.serve(app).pipe(Layer.launch)",
      "```"
    )
    expect(text).toBe(page(
      "```ts",
      "import { HttpRouter } from \"effect/http\"",
      "import { RequestContext, RequestId } from \"effect-session\"",
      "const app = Layer.mergeAll(",
      "HttpRouter.add(\"GET\", \"/a\", a), // first",
      "others",
      ").pipe(",
      "Layer.provide(RequestContext.layerRouter),",
      "Layer.provide(RequestId.layerRouterWith({ trustInbound: false })) // last",
      ")",
      "HttpRouter.serve(app).pipe(Layer.launch)",
      "```"
    ))
  })

  it("imports what a rename has brought in, and not what the block before has imported", () => {
    const { text } = for4(
      "```ts",
      "import { HttpLayerRouter } from \"@effect/platform\"",
      "const a = HttpLayerRouter.add(\"GET\", \"/a\", b)",
      "```",
      "```ts",
      "// continues",
      "import { HttpRouter } from \"@effect/platform\"",
      "const c = HttpRouter.empty.pipe(HttpRouter.get(\"/c\", b), Session.middleware)",
      "```"
    )
    expect(text).toBe(page(
      "```ts",
      "import { HttpRouter } from \"effect/http\"",
      "const a = HttpRouter.add(\"GET\", \"/a\", b)",
      "```",
      "```ts",
      "// continues",
      "import { Layer } from \"effect\"",
      "const c = HttpRouter.add(\"GET\", \"/c\", b).pipe(",
      "Layer.provide(Session.layerRouter)",
      ")",
      "```"
    ))
  })

  it("says which names of Effect 3 are left in it, unless it is about both editions", () => {
    const lines = ["text", "HttpApp and HttpLayerRouter, of @effect/platform"]
    expect(for4(...lines).mixed).toEqual(["docs/a.md:2: HttpApp is a name of Effect 3"])
    expect(for4("`HttpLayerRouter` and `Effect.zipRight`")).toEqual({
      text: "`HttpRouter` and `Effect.andThen`",
      mixed: []
    })
    const both = for4("<!-- both editions -->", ...lines)
    expect(both).toEqual({ text: page("<!-- both editions -->", ...lines), mixed: [] })
  })
})
