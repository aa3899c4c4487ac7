/**
 * `Config.unwrap` for options. Effect's own throws on an empty record and on a property that is undefined, and both mean
 * "the default" here.
 */
import * as Config from "effect/Config"

/** Only plain records may contain a `Config`. Any other value, such as a `Duration` or a client, is a value already. */
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const unwrapped = (wrapped: unknown): Config.Config<unknown> => {
  if (Config.isConfig(wrapped)) return wrapped
  if (!isRecord(wrapped)) return Config.succeed(wrapped)
  const entries = Object.entries(wrapped).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, unwrapped(value)] as const]
  )
  return entries.length === 0 ? Config.succeed({}) : Config.all(Object.fromEntries(entries))
}

/** Sound: every property becomes the value that its `Config` reads. */
export const unwrap = <A>(wrapped: Config.Config.Wrap<A>): Config.Config<A> => unwrapped(wrapped) as Config.Config<A>
