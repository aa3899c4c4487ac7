/**
 * The library as it is shipped: the build in dist/, or another one that `--library=<folder>` names.
 */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const folder = process.env.BENCHMARK_LIBRARY === undefined
  ? fileURLToPath(new URL("../../dist/", import.meta.url))
  : `${resolve(process.env.BENCHMARK_LIBRARY)}/`

/** One public module, such as `SessionStore` or `SessionStore/Redis`. */
export const module = (name) => import(pathToFileURL(`${folder}${name}.js`).href)

export const exists = (name) => existsSync(`${folder}${name}.js`)
