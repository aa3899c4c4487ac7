/**
 * `keygen`: makes a random secret, in the form of the place where it will stand.
 */
import { randomBytes } from "node:crypto"
import { type ExitCode, type Io, misused } from "./command.js"

export const options = { format: { type: "string" } } as const

export const usage = `effect-session keygen [--format base64|yaml|env]

Prints a new random secret of 256 bits. It is a key to all sessions: send it where
it belongs and nowhere else.

  --format base64   the secret alone (the default)
  --format yaml     the block of a configuration file
  --format env      the lines of a .env file`

export const newSecret = (): string => randomBytes(32).toString("base64")

const formats: Readonly<Record<string, (secret: string) => ReadonlyArray<string>>> = {
  base64: (secret) => [secret],
  yaml: (secret) => ["session_store:", "  type: Cookie", "  value:", `    secret: "${secret}"`],
  env: (secret) => ["SESSION_STORE=Cookie", `SESSION_SECRET="${secret}"`]
}

export const run = (io: Io, { format = "base64" }: { readonly format?: string | undefined }): ExitCode => {
  if (!Object.hasOwn(formats, format)) throw misused("--format must be base64, yaml or env")
  for (const line of formats[format](newSecret())) io.out(line)
  return 0
}
