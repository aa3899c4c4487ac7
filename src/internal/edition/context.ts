/**
 * The services of a fiber: looked up, and several of them added in one step.
 */
import * as Context from "effect/Context"

/** What names a service. */
type Named = Pick<Context.Tag<unknown, unknown>, "key">

/** A service and the tag that names it. */
export type Entry = readonly [tag: Named, service: unknown]

/** The service of a tag, or undefined. */
export const serviceIn = <S>(context: Context.Context<never>, tag: Context.Tag<never, S> | Named): S | undefined =>
  context.unsafeMap.get(tag.key) as S | undefined

/** The context with further services, in one copy. `Context.add` would make a copy for each, and an array for each service in it. */
export const withServices = (
  context: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => united([context], services)

/** Both contexts with further services; the second wins over the first, and the services win over both. */
export const merged = (
  first: Context.Context<never>,
  second: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => united([first, second], services)

const united = (
  contexts: ReadonlyArray<Context.Context<never>>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => {
  const map = new Map<string, unknown>()
  for (const context of contexts) context.unsafeMap.forEach((service, key) => map.set(key, service))
  for (const [{ key }, service] of services) map.set(key, service)
  return Context.unsafeMake(map)
}
