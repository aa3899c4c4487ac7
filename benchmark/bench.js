/**
 * Measures the library against its peers and writes what it found: `npm run benchmark -- --help`.
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { pinned } from "./harness/cores.js"
import { machine, revision, versions } from "./harness/machine.js"
import { startRedis } from "./harness/redis.js"
import { report } from "./report/report.js"

const sections = ["codec", "http", "inprocess", "memory", "redis", "sql", "growth"]

const help = `npm run benchmark -- [options]

  --quick            three short rounds, about three minutes; written to benchmark/quick/ only
  --only=a,b         some of: ${sections.join(", ")}; the others keep their last result
  --rounds=n         interleaved rounds of a full run, at least 7
  --library=folder   another build than dist/
  --report           no measuring: writes tables and charts anew from the last results
  --help
`

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "7" },
    library: { type: "string" },
    report: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

const here = fileURLToPath(new URL(".", import.meta.url))
const root = dirname(here.replace(/\/$/, ""))

/** A full run is what the project shows; a quick one must not overwrite it. */
const places = options.quick
  ? {
    results: join(here, "quick/results.json"),
    page: join(here, "quick/benchmarks.md"),
    charts: join(here, "quick/benchmarks")
  }
  : {
    results: join(here, "results.json"),
    page: join(root, "docs/benchmarks.md"),
    charts: join(root, "docs/benchmarks")
  }

const log = (text) => process.stderr.write(`${text}\n`)

const fail = (text) => {
  log(text)
  process.exit(1)
}

const newest = (folder) =>
  Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs))

/**
 * What is measured is what is shipped: the build, made anew where the sources are younger. A copy of it, so that a build
 * that somebody makes meanwhile does not change under the run; inside node_modules, where it finds the same packages.
 */
const prepareLibrary = () => {
  if (options.library !== undefined) {
    process.env.BENCHMARK_LIBRARY = options.library
    return
  }
  const dist = join(root, "dist")
  const entry = join(dist, "index.js")
  if (!existsSync(entry) || newest(dist) < newest(join(root, "src"))) {
    log("building the library")
    const { status } = spawnSync("npm", ["run", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
    if (status !== 0 || !existsSync(entry)) fail("the library does not build: npm run build")
  }
  const copy = join(root, "node_modules/.cache/effect-session-benchmark")
  rmSync(copy, { recursive: true, force: true })
  cpSync(dist, copy, { recursive: true })
  process.env.BENCHMARK_LIBRARY = copy
}

const chosen = () => {
  if (options.only === undefined) return sections
  const names = options.only.split(",").map((name) => name.trim())
  const unknown = names.filter((name) => !sections.includes(name))
  if (unknown.length > 0) fail(`--only knows ${sections.join(", ")}, not ${unknown.join(", ")}`)
  return sections.filter((name) => names.includes(name))
}

const read = () => existsSync(places.results) ? JSON.parse(readFileSync(places.results, "utf8")) : { sections: {} }

const write = (results) => {
  mkdirSync(dirname(places.results), { recursive: true })
  writeFileSync(places.results, `${JSON.stringify(results, null, 1)}\n`)
}

const measure = async () => {
  const rounds = Number(options.rounds)
  if (!Number.isInteger(rounds) || rounds < 7) fail("--rounds is a whole number of at least 7")
  prepareLibrary()
  const names = chosen()
  const needsRedis = names.some((name) => ["http", "redis", "growth"].includes(name))
  const redis = needsRedis ? await startRedis() : undefined
  const results = read()
  try {
    for (const name of names) {
      const skipped = []
      const started = Date.now()
      const { run } = await import(`./sections/${name}.js`)
      const measured = await run({ log, quick: options.quick, rounds, redis, skipped })
      results.sections[name] = {
        date: new Date(started).toISOString(),
        tookSeconds: Math.round((Date.now() - started) / 1000),
        quick: options.quick,
        revision: revision(),
        skipped,
        ...measured
      }
      results.machine = { ...machine(), pinned }
      results.versions = versions()
      // after each section: a later one that fails does not take this one with it
      write(results)
    }
  } finally {
    await redis?.stop()
  }
}

if (options.help) {
  process.stdout.write(help)
} else {
  if (!options.report) await measure()
  else if (!existsSync(places.results)) fail("there are no results yet: run without --report")
  const summary = report(read(), places)
  process.stdout.write(`${summary}\n\nwritten: ${places.results}, ${places.page}\n`)
}
