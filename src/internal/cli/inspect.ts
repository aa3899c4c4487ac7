/**
 * `inspect`: opens a sealed cookie and shows what it holds, or says why it does not open.
 */
import { decodePercent } from "../codec/percent.js"
import { resolveOptions } from "../config/resolveOptions.js"
import { keyObjects, type KeyRing, keys as keysOf } from "../cookie/keyMaterial.js"
import { dayOf } from "../cookie/lastDay.js"
import * as payload from "../cookie/payload.js"
import * as privateJar from "../cookie/privateJar.js"
import { scan } from "../request/cookieHeader.js"
import * as expiry from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { type ExitCode, failed, type Io, printable } from "./command.js"
import * as Source from "./source.js"

export const options = { ...Source.options, name: { type: "string" } } as const

export const usage = `effect-session inspect [--name NAME] [--file FILE | --env | --env-file FILE] < cookie

Opens a sealed cookie from standard input: its value, or a whole Cookie or Set-Cookie
header. The key comes from the environment (SESSION_SECRET or SESSION_PRIVATE_KEY), or
from a file. The output holds what the session holds: treat it as a secret.

  --name NAME       the name of the cookie, where it is not the configured one
  --file FILE       a YAML file with the key
  --env             the environment (the default)
  --env-file FILE   a file of variables, such as .env`

/** Headers of servers are far smaller. */
const limit = 64 * 1024

/** The most values of one name that are looked at. */
const maxValues = 64

export const run = async (
  io: Io,
  given: Source.Given & { readonly name?: string | undefined }
): Promise<ExitCode> => {
  const source = Source.named(io, given) ?? Source.ofEnvironment
  // A key alone is enough to open a cookie.
  if (source === Source.ofEnvironment) io.env["SESSION_STORE"] ??= "Cookie"
  const loaded = await Source.load(source)
  if ("mistakes" in loaded) throw failed(loaded.mistakes.join("\n"))
  const { options, store } = loaded.config
  if (store.type !== "Cookie") throw failed(`${source.name}: the store is ${store.type}, which seals no cookies`)
  const { config } = resolveOptions(options)
  const name = given.name ?? config.name
  const values = valuesIn(await io.stdin(limit), name)
  io.err("warning: what a session holds is secret; do not paste it into a log or a ticket")
  let code: ExitCode = 0
  for (const [index, value] of values.entries()) {
    if (values.length > 1) io.out(`${index === 0 ? "" : "\n"}value ${index + 1} of ${values.length}`)
    const { lines, opens } = describe(config, store, name, value, Date.now())
    for (const line of lines) io.out(line)
    if (!opens) code = 1
  }
  return code
}

/** The values of the cookie in a header, or the one bare value. */
const valuesIn = (bytes: Buffer | undefined, name: string): ReadonlyArray<string> => {
  if (bytes === undefined) throw failed(`standard input has more than ${limit} bytes: that is no cookie`)
  const text = bytes.toString("latin1").trim()
  if (text === "") throw failed("standard input is empty: a cookie is expected there")
  const header = /^(?:set-)?cookie\s*:/i.exec(text)
  const line = header === null ? text : text.slice(header[0].length)
  const { tokens } = scan(line.replace(/[\r\n]+/g, ";"), name, maxValues, () => true)
  if (tokens.length > 0) return tokens
  // Padding at its end is the only `=` of a sealed value.
  if (header !== null || /[;\s]|=[^=]/.test(text)) throw failed(`there is no cookie of the name ${name} in it`)
  return [text]
}

interface Described {
  readonly opens: boolean
  readonly lines: ReadonlyArray<string>
}

const no = (...lines: ReadonlyArray<string>): Described => ({ opens: false, lines })

const instant = (millis: number): string => new Date(millis).toISOString()

/** A seal does not show whether it was revoked. */
const signedIn = ({ authenticatedAt, subject }: payload.SealedOwner): ReadonlyArray<string> => [
  `subject: ${printable(JSON.stringify(subject))}`,
  `signed in: ${instant(authenticatedAt)} (unless it was revoked, which only the app's store of revocations knows)`
]

const describe = (
  config: SessionConfig,
  { audience = "", keys }: { readonly keys: KeyRing; readonly audience?: string | undefined },
  name: string,
  value: string,
  now: number
): Described => {
  const bare = value.includes("%") ? decodePercent(value) : value
  if (bare === undefined || !privateJar.isWellFormed(bare)) {
    return no("does not open: it is not a sealed value (standard base64 of at least 28 bytes, at most 8192 characters)")
  }
  const opened = privateJar.open(keyObjects(keys), Buffer.from(name), bare)
  if (opened === undefined) {
    return no(
      "does not open: no key of the configuration has sealed it under this name",
      `It may have been sealed with another key, under another name than ${name}, or have been altered.`
    )
  }
  const { endsAt } = keysOf(keys)[opened.key]
  const sealedWith = opened.key === 0 ? "the key that seals" : `key ${opened.key + 1}, which only opens`
  if (endsAt <= now) return no(`does not open: the last day of its key is over (${dayOf(endsAt - 1)})`)
  const decoded = payload.decode(payload.prefix(audience), opened.text, true)
  if (decoded._tag === "Foreign") {
    return no(`does not open as a session: ${decoded.warning}`, `sealed with: ${sealedWith}`)
  }
  const times = expiry.reconstruct(config, decoded.createdAt, decoded.refreshedAt, decoded.own)
  const expired = expiry.isExpired(config, times, now)
  return {
    opens: !expired,
    lines: [
      expired ? "opens no more: the session has expired" : "opens",
      `sealed with: ${sealedWith}`,
      `id: ${decoded.sid}`,
      ...(decoded.owner === undefined ? [] : signedIn(decoded.owner)),
      `created: ${instant(times.createdAt)}`,
      `last refreshed: ${instant(times.refreshedAt)}`,
      `${expired ? "expired" : "expires"}: ${instant(times.expiresAt)}${times.own ? " (an expiry of its own)" : ""}`,
      decoded.data.size === 0 ? "values: none" : "values:",
      ...[...decoded.data].map(([key, text]) => `  ${printable(JSON.stringify(key))}: ${printable(text)}`)
    ]
  }
}
