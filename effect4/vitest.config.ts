import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
// The files that do not run on Effect 4, each with its reason.
import notYet from "./notYet.json" with { type: "json" }

const here = fileURLToPath(new URL("./", import.meta.url))

export default defineConfig({
  root: here,
  resolve: {
    alias: [
      { find: /^effect-session$/, replacement: `${here}src/index.ts` },
      { find: /^effect-session\/(.*)$/, replacement: `${here}src/$1.ts` },
      { find: /^#test\/(.*)$/, replacement: `${here}test/support/$1.ts` },
      // where the pre-releases of two drivers look for what Effect 4.1 has elsewhere
      { find: /^effect\/unstable\/(sql|reactivity)\/(.*)$/, replacement: "effect/$1/$2" }
    ]
  },
  test: {
    server: { deps: { inline: [/@effect\/sql-(mysql2|sqlite-node)/] } },
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: Object.keys(notYet),
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
