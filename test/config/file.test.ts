import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/SessionConfig"
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { inDirectory, pathsOf, refusal, towerFile } from "./given.js"

describe("a file", () => {
  it.effect("F1: the file is config/<environment>.yaml, where the environment is NODE_ENV or else development", () =>
    inDirectory(
      {
        "development.yaml": towerFile.replace("__loco_session", "dev"),
        "production.yaml": towerFile.replace("__loco_session", "prod"),
        "marked.yaml": `\uFEFF${towerFile}`,
        "latin1.yaml": Buffer.from(`request_context: { session_config: { name: "caf\u00e9" } }`, "latin1"),
        "utf16.yaml": Buffer.from(`\uFEFF${towerFile}`, "utf16le")
      },
      (directory) =>
        Effect.gen(function*() {
          const name = (environment?: string) =>
            Effect.map(SessionConfig.fromFile({ directory, environment }), ({ options }) => options.name)
          vi.stubEnv("NODE_ENV", undefined)
          assert.strictEqual(yield* name(), "dev")
          vi.stubEnv("NODE_ENV", "production")
          assert.strictEqual(yield* name(), "prod")
          assert.strictEqual(yield* name("development"), "dev")
          assert.strictEqual(yield* name("marked"), "__loco_session")
          for (const environment of ["latin1", "utf16"]) {
            const error = yield* refusal(SessionConfig.fromFile({ directory, environment }))
            assert.deepStrictEqual(error.mistakes, [
              { path: join(directory, `${environment}.yaml`), message: "is not UTF-8 text" }
            ])
          }
          const missing = yield* refusal(SessionConfig.fromFile({ directory, environment: "staging" }))
          assert.deepStrictEqual(pathsOf(missing), [join(directory, "staging.yaml")])
          assert.include(missing.message, "ENOENT")
          mkdirSync(join(directory, "folder.yaml"))
          const folder = yield* refusal(SessionConfig.fromFile({ directory, environment: "folder" }))
          assert.include(folder.message, "EISDIR")

          for (const environment of ["", "../development", "..", "a/b", "a\\b", "a.b", "dev\u0000", "dev\n", "café"]) {
            const error = yield* refusal(SessionConfig.fromFile({ directory, environment }))
            assert.deepStrictEqual(pathsOf(error), ["environment"], environment)
            if (environment.includes("\u0000")) continue // A variable cannot hold it.
            vi.stubEnv("NODE_ENV", environment)
            assert.deepStrictEqual(pathsOf(yield* refusal(SessionConfig.fromFile({ directory }))), ["NODE_ENV"])
          }
        })
    ).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs()))))

  it.effect("F1: the file is looked for in the directory config by default", () =>
    inDirectory({}, (directory) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          mkdirSync(join(directory, "config"))
          writeFileSync(join(directory, "config", "development.yaml"), towerFile)
          return vi.spyOn(process, "cwd").mockReturnValue(directory)
        }),
        () =>
          Effect.gen(function*() {
            // The file system resolves against the real working directory, and the message against `process.cwd`.
            const error = yield* refusal(SessionConfig.fromFile({ environment: "no-such-environment" }))
            assert.deepStrictEqual(pathsOf(error), [join("config", "no-such-environment.yaml")])
            assert.include(error.message, join(directory, "config", "no-such-environment.yaml"))
          }),
        (spy) => Effect.sync(() => spy.mockRestore())
      )))
})
