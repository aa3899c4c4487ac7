/** Lays out the code of an example as `npm run lint:fix` does with a source. */
import { Linter } from "eslint"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

const root = resolve(import.meta.dirname, "../..")

export const makeFormat = async (): Promise<(code: string) => string> => {
  const { default: config } = await import(pathToFileURL(join(root, "eslint.config.mjs")).href) as {
    readonly default: Array<Linter.Config>
  }
  const linter = new Linter({ cwd: root })
  // It would split an import whose names are types by now.
  const settings = [...config, { files: ["**/*.ts"], rules: { "@typescript-eslint/consistent-type-imports": "off" } }]
  return (code) =>
    linter.verifyAndFix(code, settings as Array<Linter.Config>, { filename: join(root, "docs/example.ts") }).output
}
