/**
 * `check`: says everything that is wrong with a configuration, before an app starts with it.
 */
import { existsSync } from "node:fs"
import type { FileConfig } from "../config/model.js"
import { resolveOptions } from "../config/resolveOptions.js"
import { warnings } from "../config/warnings.js"
import { hasWeakKey, keys as keysOf } from "../cookie/keyMaterial.js"
import { dayOf } from "../cookie/lastDay.js"
import { counted, type ExitCode, failed, type Io } from "./command.js"
import * as Source from "./source.js"

export const options = Source.options

export const usage = `effect-session check [--file FILE | --env | --env-file FILE]

Checks a configuration and prints all of its mistakes. Without an option it checks
config/<NODE_ENV>.yaml if there is one, and the variables SESSION_… if they are set.

  --file FILE       a YAML file
  --env             the environment
  --env-file FILE   a file of variables, such as .env`

const dayMillis = 24 * 60 * 60 * 1000

export const run = async (io: Io, given: Source.Given): Promise<ExitCode> => {
  const source = Source.named(io, given)
  const sources = source === undefined ? inPlace(io) : [source]
  let code: ExitCode = 0
  for (const source of sources) {
    const loaded = await Source.load(source)
    if ("mistakes" in loaded) {
      for (const line of loaded.mistakes) io.err(line)
      code = 1
      continue
    }
    io.out(`${source.name}: ${summary(loaded.config)}`)
    for (const warning of warningsOf(io, loaded.config)) io.err(`${source.name}: warning: ${warning}`)
  }
  return code
}

const inPlace = (io: Io): ReadonlyArray<Source.Source> => {
  const file = Source.defaultFile(io)
  const sources = [
    ...(existsSync(file) ? [Source.ofFile(file)] : []),
    ...(Source.declares(io.env) ? [Source.ofEnvironment] : [])
  ]
  if (sources.length === 0) {
    throw failed(`there is nothing to check: ${file} is not there, and neither SESSION_STORE nor a key is set`)
  }
  return sources
}

const summary = ({ options, store }: FileConfig): string => {
  const { config } = resolveOptions(options)
  const keys = store.type === "Cookie" ? `, ${counted(keysOf(store.keys).length, "key")}` : ""
  return `no mistakes (${store.type}, cookie ${config.name}${keys})`
}

const warningsOf = ({ env }: Io, { options, store }: FileConfig): ReadonlyArray<string> => {
  const { config } = resolveOptions(options)
  const facts = {
    environment: env["NODE_ENV"],
    memory: store.type === "Memory",
    weakKey: store.type === "Cookie" && hasWeakKey(store.keys)
  }
  const ended = store.type === "Cookie" ? keysOf(store.keys).filter(({ endsAt }) => endsAt <= Date.now()) : []
  return [
    ...warnings(config, facts),
    ...ended.map(({ endsAt }) =>
      `the last day of a previous key is over (${dayOf(endsAt - dayMillis)}): it opens nothing, and can be removed`
    )
  ]
}
