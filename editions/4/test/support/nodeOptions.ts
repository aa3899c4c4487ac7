import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/** What Node.js needs to run a TypeScript file of this package, from any folder, and to load the drivers. */
export const nodeOptions: ReadonlyArray<string> = [
  "--import",
  pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href,
  "--import",
  new URL("drivers.ts", import.meta.url).href
]
