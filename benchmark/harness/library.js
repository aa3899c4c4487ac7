/**
 * The library as it is shipped: the build in dist/, or the one that `--library=<folder>` names.
 */
import { resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

/** Ends with a slash. */
export const folder = process.env.BENCHMARK_LIBRARY === undefined
  ? fileURLToPath(new URL("../../dist/", import.meta.url))
  : `${resolve(process.env.BENCHMARK_LIBRARY)}/`

const load = (name) => import(pathToFileURL(`${folder}${name}.js`).href)

/** The package's main entry: its modules by name. */
export const main = () => load("index")

/** A module that only a sub-path exports, such as `SessionStore/Redis`. */
export const module = (name) => load(name)
