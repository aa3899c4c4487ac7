/**
 * What there may be on the server and in the cookies of one person: sessions, and which token opens which. Plain data.
 */
import type { Value } from "./script.js"

export type Data = Readonly<Record<string, Value>>

/** `serial` names it here; `id` is what the server calls it, once that was seen. An ended session is kept, not alive. */
export interface Session {
  readonly serial: number
  readonly alive: boolean
  readonly data: Data
  readonly subject: string | null
  readonly persistent: boolean
  readonly id: string | null
}

/** A write whose request was interrupted while the store worked on it: it may still take place, until `until`. */
export interface Late {
  readonly until: number
  readonly apply: (world: World) => ReadonlyArray<World>
}

/** What has replaced a session, and when the answer came that said so. */
export interface Successor {
  readonly serial: number
  readonly at: number
}

/**
 * - `tokens`: the session that each token was given for. `renewed`: those that a renewal has replaced, with the successor.
 */
export interface World {
  readonly sessions: ReadonlyMap<number, Session>
  readonly tokens: ReadonlyMap<string, number>
  readonly renewed: ReadonlyMap<number, Successor>
  readonly late: ReadonlyArray<Late>
  readonly next: number
}

export const empty: World = { sessions: new Map(), tokens: new Map(), renewed: new Map(), late: [], next: 1 }

export const put = (world: World, session: Session): World => ({
  ...world,
  sessions: new Map(world.sessions).set(session.serial, session)
})

/** A session under a number of its own. */
export const add = (world: World, session: Omit<Session, "serial">): readonly [World, Session] => {
  const created: Session = { ...session, serial: world.next }
  return [{ ...put(world, created), next: world.next + 1 }, created]
}

export const end = (world: World, serial: number): World => {
  const session = world.sessions.get(serial)
  return session === undefined || !session.alive ? world : put(world, { ...session, alive: false })
}

export const give = (world: World, token: string, serial: number): World => ({
  ...world,
  tokens: new Map(world.tokens).set(token, serial)
})

export const living = (world: World, subject: string): ReadonlyArray<Session> =>
  [...world.sessions.values()].filter((session) => session.alive && session.subject === subject)

/** Worlds in which everything is the same are one. */
export const distinct = (worlds: ReadonlyArray<World>): ReadonlyArray<World> => {
  const byText = new Map<string, World>()
  for (const world of worlds) {
    const { late, next, renewed, sessions, tokens } = world
    byText.set(JSON.stringify([[...sessions], [...tokens], [...renewed], late.map(({ until }) => until), next]), world)
  }
  return [...byText.values()]
}
