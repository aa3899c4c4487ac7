/**
 * The store of revocations on the memory of this process. Nothing is evicted that has not expired: it would bring a session
 * back that was ended. When the bound is reached, the next revocation fails instead.
 *
 * Denials lie in a map, and their names also in the hour in which they expire, so that clean-up need not search. A name whose
 * denial has moved to a later hour is passed over.
 */
import * as Effect from "effect/Effect"
import { SessionStoreError } from "../../SessionError.js"
import { type Denial, merged, type RevocationService } from "../store/revocation.js"

const hourMillis = 60 * 60 * 1000

const noDenials: ReadonlyMap<string, Denial> = new Map()

const done = Effect.succeed(undefined)

export const make = (maxEntries: number): RevocationService => {
  const denials = new Map<string, Denial>()
  const hours = new Map<number, Array<string>>()
  /** no hour before this one has names */
  let firstHour = Infinity

  const live = (name: string, now: number): Denial | undefined => {
    const denial = denials.get(name)
    return denial !== undefined && denial.expiresAt > now ? denial : undefined
  }

  const removeExpired = (now: number, limit: number): number => {
    let removed = 0
    const current = Math.floor(now / hourMillis)
    while (hours.size > 0 && firstHour < current && removed < limit) {
      const names = hours.get(firstHour)
      const name = names?.pop()
      if (name === undefined) {
        hours.delete(firstHour)
        firstHour++
      } else if (live(name, now) === undefined && denials.delete(name)) removed++
    }
    return removed
  }

  const full = Effect.suspend(() =>
    Effect.fail(SessionStoreError.of("deny", "Unavailable", `the memory holds ${maxEntries} revocations, and no more`))
  )

  const put = (name: string, denial: Denial, now: number): Effect.Effect<undefined, SessionStoreError> => {
    if (!denials.has(name) && denials.size >= maxEntries) {
      removeExpired(now, Infinity)
      if (denials.size >= maxEntries) return full
    }
    denials.set(name, denial)
    const hour = Math.floor(denial.expiresAt / hourMillis)
    const names = hours.get(hour)
    if (names === undefined) hours.set(hour, [name])
    else names.push(name)
    firstHour = Math.min(firstHour, hour)
    return done
  }

  return {
    check: (names, now) => {
      let found: Map<string, Denial> | undefined
      for (const name of names) {
        const denial = live(name, now)
        if (denial !== undefined) (found ??= new Map()).set(name, denial)
      }
      return Effect.succeed(found ?? noDenials)
    },
    deny: (name, denial, now) => {
      const earlier = live(name, now)
      return earlier === undefined ? put(name, denial, now) : Effect.succeed(earlier)
    },
    denyOlder: (name, denial, now) => put(name, merged(live(name, now), denial), now),
    removeExpired: (now, limit) => Effect.sync(() => removeExpired(now, limit))
  }
}
