/**
 * The services of a fiber, several of which are added in one step.
 */
import * as Context from "effect/Context"

/** A service by the key of its tag. */
export type Entry = readonly [key: string, service: unknown]

/** The context with further services, in one copy. `Context.add` would make a copy for each, and an array for each service in it. */
export const withServices = (
  context: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => {
  const map = new Map<string, unknown>()
  copy(context, map)
  for (const [key, service] of services) map.set(key, service)
  return Context.unsafeMake(map)
}

/** Both contexts with further services; the second wins over the first, and the services win over both. */
export const merged = (
  first: Context.Context<never>,
  second: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => {
  const map = new Map<string, unknown>()
  copy(first, map)
  copy(second, map)
  for (const [key, service] of services) map.set(key, service)
  return Context.unsafeMake(map)
}

const copy = (context: Context.Context<never>, map: Map<string, unknown>): void => {
  context.unsafeMap.forEach((service, key) => map.set(key, service))
}
