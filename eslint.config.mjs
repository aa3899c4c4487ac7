import effect from "@effect/eslint-plugin"
import sortDestructureKeys from "eslint-plugin-sort-destructure-keys"
import { defineConfig, globalIgnores } from "eslint/config"
import tseslint from "typescript-eslint"

/** Effect's own settings; dprint also sorts the imports and what they name. */
const dprint = {
  indentWidth: 2,
  lineWidth: 120,
  operatorPosition: "maintain",
  semiColons: "asi",
  quoteStyle: "alwaysDouble",
  trailingCommas: "never",
  "arrowFunction.useParentheses": "force"
}

const moduleByModule = {
  packageNames: ["effect", "@effect/platform", "@effect/platform-node", "@effect/sql", "@effect/vitest"]
}

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/node_modules/",
    ".examples/",
    "runtimes/.out/",
    "coverage/",
    "effect4/.examples/",
    "effect4/benchmark/",
    "effect4/scripts/",
    "effect4/src/",
    "effect4/test/",
    "effect4/examples/"
  ]),
  {
    files: ["**/*.{ts,mts,js,mjs,cjs}"],
    extends: [tseslint.configs.recommended],
    plugins: { "@effect": effect, "sort-destructure-keys": sortDestructureKeys },
    linterOptions: { reportUnusedDisableDirectives: "error", reportUnusedInlineConfigs: "error" },
    rules: {
      "@effect/dprint": ["error", { config: dprint }],
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none", ignoreRestSiblings: true }
      ],
      // a tag's class and its namespace, a type and its constructor: one name for one concept
      "@typescript-eslint/no-redeclare": "off",
      "@typescript-eslint/no-namespace": "off",
      "@typescript-eslint/no-empty-object-type": "off",
      eqeqeq: "error",
      // `arguments` is how a Pipeable pipes
      "prefer-rest-params": "off",
      "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
      // `yield*` of nothing is a legitimate `Effect.gen`
      "require-yield": "off",
      "no-restricted-syntax": ["error", {
        selector: "CallExpression[callee.property.name='push'] > SpreadElement.arguments",
        message: "push(...items) overflows the stack when items come from a client: loop."
      }],
      "object-shorthand": "error",
      "sort-destructure-keys/sort-destructure-keys": "error"
    }
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-console": "error",
      "@effect/no-import-from-barrel-package": ["error", moduleByModule],
      "@typescript-eslint/no-non-null-assertion": "off",
      "no-restricted-imports": ["error", {
        patterns: [{
          group: ["effect-session", "effect-session/*"],
          message: "Inside the library, import by relative path."
        }]
      }]
    }
  },
  {
    // Effect 4's own types of a middleware have `any` where these files have it
    files: ["editions/**"],
    rules: { "@typescript-eslint/no-explicit-any": "off" }
  },
  {
    // tests may lie about types to attack what types rule out
    files: ["test/**"],
    rules: { "@typescript-eslint/no-explicit-any": "off" }
  }
)
