/**
 * Lists and revokes the sessions of a subject, over a backend and its index.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ListedSession, SessionBackendService, SubjectIndexService } from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Happened from "../events/happened.js"
import { Hub } from "../events/hub.js"
import type { Events } from "../store/event.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import type { SessionInfo, SessionListService, SessionsService } from "../store/subjectContract.js"
import { backoff, maxTries } from "./contention.js"

type Entry = { readonly id: string; readonly session: ListedSession }

export const make = (
  config: SessionConfig,
  backend: SessionBackendService,
  index: SubjectIndexService,
  events: Events = new Hub(config.name)
): SessionsService & SessionListService => {
  const live = (subject: string): Effect.Effect<ReadonlyArray<Entry>, SessionStoreError> =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) =>
        Effect.map(index.list(subject, now), (entries) =>
          entries.filter(({ session }) =>
            session.owner?.subject === subject && !ExpiryPolicy.isExpired(config, session, now)
          ))
    )

  const remove = (subject: string, id: string): Effect.Effect<boolean, SessionStoreError> =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const removed = yield* backend.remove(id, undefined, now)
      if (removed === "removed") Happened.revoked(events, now, { session: id, subject })
      yield* Effect.ignore(index.forget(subject, id))
      return removed === "removed"
    })

  /**
   * A session that is renewed while all are being revoked comes back under a new id, and another round finds it. Only a
   * round that finds no session ends this: whoever is given a number may rely on it.
   */
  const revokeAll = (
    subject: string,
    except: string | undefined,
    round: number
  ): Effect.Effect<number, SessionStoreError> =>
    Effect.gen(function*() {
      const entries = (yield* live(subject)).filter(({ id }) => id !== except)
      if (entries.length === 0) return 0
      if (round === maxTries) {
        return yield* Effect.fail(
          SessionStoreError.of("remove", "Contention", "a session was renewed during each try to revoke it")
        )
      }
      const removed = yield* Effect.forEach(entries, ({ id }) => remove(subject, id), { concurrency: 8 })
      const count = removed.filter(Boolean).length
      // A session that was missed has just been renewed, and its request is probably not done yet.
      if (count < entries.length) yield* backoff(round)
      return count + (yield* revokeAll(subject, except, round + 1))
    })

  return {
    list: (subject) => Effect.map(live(subject), (entries) => entries.map(toInfo)),
    revoke: (subject, id) =>
      Effect.flatMap(
        live(subject),
        (entries) => entries.some((entry) => entry.id === id) ? remove(subject, id) : Effect.succeed(false)
      ),
    revokeAll: (subject, except) => revokeAll(subject, except, 0)
  }
}

const toInfo = ({ id, session }: Entry): Omit<SessionInfo, "current"> => ({
  id,
  subject: session.owner?.subject ?? "",
  createdAt: DateTime.unsafeMake(session.createdAt),
  authenticatedAt: DateTime.unsafeMake(session.owner?.authenticatedAt ?? session.createdAt),
  lastSeenAt: DateTime.unsafeMake(session.refreshedAt),
  expiresAt: DateTime.unsafeMake(session.expiresAt),
  userAgent: Option.fromNullable(session.owner?.userAgent),
  address: Option.fromNullable(session.owner?.address)
})
