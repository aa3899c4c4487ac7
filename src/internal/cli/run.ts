/**
 * The command line: finds the command, reads its options, and turns every outcome into an exit code.
 */
import { parseArgs, type ParseArgsConfig } from "node:util"
import * as check from "./check.js"
import { type ExitCode, type Io, misused, Stop } from "./command.js"
import * as inspect from "./inspect.js"
import * as keygen from "./keygen.js"
import * as rotate from "./rotate.js"
import * as sessions from "./sessions.js"

interface Command {
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig["options"]>
  readonly takesWords: boolean
  /** Sound: `parseArgs` has checked the values against `options`. */
  readonly run: (io: Io, values: never, words: ReadonlyArray<string>) => ExitCode | Promise<ExitCode>
}

const commands: Readonly<Record<string, Command>> = {
  keygen: { ...keygen, takesWords: false },
  check: { ...check, takesWords: false },
  inspect: { ...inspect, takesWords: false },
  rotate: { ...rotate, takesWords: true },
  sessions: { ...sessions, takesWords: true }
}

const usage = `effect-session <command> [options]

  keygen     makes a secret
  check      checks a configuration file and the environment
  inspect    opens a sealed cookie from standard input
  rotate     replaces the key of a configuration, in two steps
  sessions   counts, lists and revokes the sessions of a server store

effect-session <command> --help says more. Exit codes: 0 all is well; 1 mistakes were
found, or the cookie does not open; 2 the command was called in a wrong way.`

export const run = async (io: Io, args: ReadonlyArray<string>): Promise<ExitCode> => {
  const [name = "--help", ...rest] = args
  try {
    if (name === "--help" || name === "-h" || name === "help") {
      io.out(usage)
      return args.length === 0 ? 2 : 0
    }
    if (!Object.hasOwn(commands, name)) throw misused("there is no such command; effect-session --help lists them")
    return await perform(io, commands[name], rest)
  } catch (error) {
    if (error instanceof Stop) {
      for (const line of error.message.split("\n")) io.err(`effect-session: ${line}`)
      return error.code
    }
    // The message of an error that nobody expected may quote what it failed on.
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : ""
    io.err(`effect-session: failed${code}`)
    return 1
  }
}

const perform = async (io: Io, command: Command, args: ReadonlyArray<string>): Promise<ExitCode> => {
  const { positionals, values } = parsed(command, args)
  if (values["help"] === true) {
    io.out(command.usage)
    return 0
  }
  if (!command.takesWords && positionals.length > 0) {
    throw misused(
      "takes no words beside its options; secrets belong on standard input, in a file or in the environment"
    )
  }
  return command.run(io, values as never, positionals)
}

const parsed = (command: Command, args: ReadonlyArray<string>) => {
  const options: Command["options"] = { ...command.options, help: { type: "boolean", short: "h" } }
  try {
    return parseArgs({ args: joined(options, args), options, allowPositionals: true })
  } catch {
    // The message repeats the argument, which may be a secret that somebody has put in the wrong place.
    throw misused(`has an option that it does not know, or one without its value\n\n${command.usage}`)
  }
}

/**
 * Each option with its value as one argument. By itself `parseArgs` refuses a value that begins with a dash, as one session id
 * in 64 does.
 */
const joined = (options: Command["options"], args: ReadonlyArray<string>): Array<string> => {
  const optionOf = (arg: string | undefined) => {
    const name = arg?.startsWith("--") === true ? arg.slice(2).split("=", 1)[0] : ""
    return Object.hasOwn(options, name) ? options[name] : undefined
  }
  const all: Array<string> = []
  for (let i = 0; i < args.length; i++) {
    const takesNext = optionOf(args[i])?.type === "string" && !args[i].includes("=")
      && i + 1 < args.length && optionOf(args[i + 1]) === undefined
    all.push(takesNext ? `${args[i]}=${args[++i]}` : args[i])
  }
  return all
}
