/**
 * Measures effect-session against other libraries and writes the results: `npm run benchmark -- --help`.
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

const sections = ["codec", "http", "inprocess", "memory", "redis", "sql", "growth", "profiles"]

const help = `npm run benchmark -- [options]

  --quick            measures three short rounds in about four minutes and writes only to benchmark/quick/
  --only=a,b         measures only some of these sections: ${sections.join(", ")};
                     the other sections keep their last results
  --rounds=n         how many interleaved rounds a full run measures, at least 7
  --nodes            measures the part in process on the newest Node.js as well, which it installs from npm
  --library=folder   measures the build in another folder than dist/
  --report           measures nothing and writes the tables and charts again from the last results
  --help             shows this text
`

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "7" },
    nodes: { type: "boolean", default: false },
    library: { type: "string" },
    report: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

const here = fileURLToPath(new URL(".", import.meta.url))
const root = dirname(here.replace(/\/$/, ""))

/** The project shows the results of full runs; a quick run must not overwrite them. */
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
 * The benchmark measures what is shipped: the build, which is made again when the sources are newer. It measures a copy, so
 * that a build made during the run changes nothing. The copy lies in node_modules, where it finds the same packages.
 */
const prepareLibrary = () => {
  if (options.library !== undefined) {
    process.env.BENCHMARK_LIBRARY = options.library
    return
  }
  const dist = join(root, "dist")
  const entry = join(dist, "index.js")
  if (!existsSync(entry) || newest(dist) < newest(join(root, "src"))) {
    log("Building the library.")
    const { status } = spawnSync("npm", ["run", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
    if (status !== 0 || !existsSync(entry)) fail("The library could not be built. `npm run build` shows why.")
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
  if (unknown.length > 0) fail(`--only accepts ${sections.join(", ")}, but not ${unknown.join(", ")}.`)
  return sections.filter((name) => names.includes(name))
}

const read = () => existsSync(places.results) ? JSON.parse(readFileSync(places.results, "utf8")) : { sections: {} }

const write = (results) => {
  mkdirSync(dirname(places.results), { recursive: true })
  writeFileSync(places.results, `${JSON.stringify(results, null, 1)}\n`)
}

const measure = async () => {
  const rounds = Number(options.rounds)
  if (!Number.isInteger(rounds) || rounds < 7) fail("--rounds must be a whole number of at least 7.")
  prepareLibrary()
  const names = chosen()
  const needsRedis = names.some((name) => ["http", "redis", "growth", "profiles"].includes(name))
  const redis = needsRedis ? await startRedis() : undefined
  const results = read()
  try {
    for (const name of names) {
      const skipped = []
      const started = Date.now()
      const { run } = await import(`./sections/${name}.js`)
      const measured = await run({ log, nodes: options.nodes, quick: options.quick, rounds, redis, skipped })
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
      // Written after each section, so that the results survive when a later section fails.
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
  else if (!existsSync(places.results)) fail("There are no results yet. Run the benchmark without --report first.")
  const summary = report(read(), places)
  process.stdout.write(`${summary}\n\nThe results are in ${places.results} and ${places.page}.\n`)
}
