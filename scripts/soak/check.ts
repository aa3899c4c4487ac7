/**
 * Holds what a request gave against what it might have given: keeps the worlds that agree with it.
 */
import type { Reply } from "./browser.js"
import { type Cookie, type Expected, type Outcome, outcomes, same, type Sent } from "./model.js"
import type { Result } from "./script.js"
import { distinct, give, put, type World } from "./world.js"

export interface Request {
  readonly sent: Sent
  readonly reply: Reply
}

/** The worlds that are possible after these requests, which were in progress at the same time. */
export const worldsAfter = (
  worlds: ReadonlyArray<World>,
  requests: ReadonlyArray<Request>,
  now: number
): ReadonlyArray<World> =>
  distinct(
    orders(requests).flatMap((order) =>
      order.reduce<ReadonlyArray<World>>(
        (possible, request) =>
          possible.flatMap((world) =>
            outcomes(world, request.sent, now).flatMap((outcome) => agreeing(outcome, request))
          ),
        worlds
      )
    )
  )

const orders = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.length < 2
    ? [all]
    : all.flatMap((each) => orders(all.filter((other) => other !== each)).map((rest) => [each, ...rest]))

/** The outcome's world with what the answer says of it, or nothing where they do not agree. */
const agreeing = (outcome: Outcome, { reply, sent }: Request): ReadonlyArray<World> => {
  const { results } = sent.entry
  if (results.length !== outcome.results.length) return []
  let world: World | undefined = outcome.world
  for (let at = 0; at < results.length && world !== undefined; at++) {
    world = agree(world, outcome.results[at], results[at], sent.kind)
  }
  if (world !== undefined) world = withCookie(world, outcome.cookie, reply)
  return world === undefined ? [] : [world]
}

const agree = (world: World, expected: Expected, came: Result, kind: Sent["kind"]): World | undefined => {
  if ("error" in expected) return "error" in came && came.error === expected.error ? world : undefined
  if ("value" in expected) return "value" in came && came.value === expected.value ? world : undefined
  if ("values" in expected) {
    if (!("values" in came) || !same(expected.values, came.values)) return undefined
    if (kind === "server" && expected.subject !== came.subject) return undefined
    // The seals of one session in a cookie share its id.
    if (kind === "client") return (expected.session === undefined) === (came.id === null) ? world : undefined
    return identify(world, expected.session, came.id)
  }
  if (!("ids" in came) || came.ids.length !== expected.sessions.length) return undefined
  const current = identify(world, expected.current, came.current)
  if (current === undefined) return undefined
  const unknown = expected.sessions.filter((serial) => current.sessions.get(serial)!.id === null)
  const known = expected.sessions.map((serial) => current.sessions.get(serial)!.id).filter((id) => id !== null)
  if (!known.every((id) => came.ids.includes(id))) return undefined
  const [left] = came.ids.filter((id) => !known.includes(id))
  return unknown.length === 1 ? identify(current, unknown[0], left) : current
}

/** The server calls this session so; what it was called before, it is still called. */
const identify = (world: World, serial: number | undefined, id: string | null): World | undefined => {
  if (serial === undefined) return id === null ? world : undefined
  const session = world.sessions.get(serial)!
  if (session.id !== null) return session.id === id ? world : undefined
  const isAnother = id === null || [...world.sessions.values()].some((other) => other.id === id)
  return isAnother ? undefined : put(world, { ...session, id })
}

const withCookie = (world: World, expected: Cookie, { cookie }: Reply): World | undefined => {
  if (cookie === undefined) return world // the client has gone before the head came
  if (expected._tag !== "Set" || cookie._tag !== "Set") return expected._tag === cookie._tag ? world : undefined
  if (expected.same !== undefined && expected.same !== cookie.token) return undefined
  if (world.sessions.get(expected.serial)!.persistent !== cookie.persistent) return undefined
  const known = world.tokens.get(cookie.token)
  if (known !== undefined && known !== expected.serial) return undefined
  return give(world, cookie.token, expected.serial)
}
