/**
 * The services of a fiber: looked up, and several of them added. A context of Effect 4 keeps what is added beside what it was
 * added to; reading all of its services as a map would copy them.
 */
import * as Context from "effect/Context"

/** What names a service. */
type Named = Pick<Context.Key<unknown, unknown>, "key">

/** A service and the tag that names it. */
export type Entry = readonly [tag: Named, service: unknown]

/** The service of a tag, or undefined. */
export const serviceIn = <S>(context: Context.Context<never>, tag: Context.Key<never, S> | Named): S | undefined =>
  Context.getOrUndefined(context, tag as Context.Key<never, S>)

/** The context with further services. */
export const withServices = (
  context: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> =>
  services.reduce(
    (context, [tag, service]) => Context.add(context, tag as Context.Key<never, unknown>, service),
    context
  )

/** Both contexts with further services; the second wins over the first, and the services win over both. */
export const merged = (
  first: Context.Context<never>,
  second: Context.Context<never>,
  services: ReadonlyArray<Entry>
): Context.Context<never> => withServices(Context.merge(first, second), services)
