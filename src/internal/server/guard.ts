/**
 * A backend, an index and a store of revocations whose every call answers in time: what fails, dies, throws or takes longer
 * than the store's time-out becomes a `SessionStoreError`, which is logged and counted where it happens (row M5). A call that
 * has to wait is timed and, where somebody traces, has a span. One that is already done has neither (rows N7 and N8).
 *
 * A call of a backend may act when it is made, and not only when its effect runs: a backend without I/O returns an effect
 * that is already done. Callers therefore make no call before its time, and suspend one that is to run later.
 */
import * as Effect from "effect/Effect"
import type { SessionBackendService, SubjectIndexService } from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import { errorOf } from "../edition/cause.js"
import { withDeadline } from "../edition/deadline.js"
import { isDone } from "../edition/done.js"
import * as Spans from "../edition/spans.js"
import * as Metrics from "../store/metrics.js"
import type { RevocationService } from "../store/revocation.js"
import { InTurn } from "../store/turns.js"
import type { Report } from "./reportFailure.js"

export const guarded = (backend: SessionBackendService, millis: number, report: Report): SessionBackendService => {
  const guard = guardWith(millis, report)
  const count = backend.count?.bind(backend)
  return {
    find: (id, now) => guard("find", () => backend.find(id, now)),
    insert: (id, session, now) => guard("insert", () => backend.insert(id, session, now)),
    update: (id, patch, now, ifVersion, base) => guard("update", () => backend.update(id, patch, now, ifVersion, base)),
    remove: (id, ifVersion, now, successor) => guard("remove", () => backend.remove(id, ifVersion, now, successor)),
    removeExpired: (now, limit, removed) => guard("removeExpired", () => backend.removeExpired(now, limit, removed)),
    ...count === undefined ? {} : { count: (now: number) => guard("count", () => count(now)) },
    isAlone: backend.isAlone
  }
}

export const guardedIndex = (index: SubjectIndexService, millis: number, report: Report): SubjectIndexService => {
  const guard = guardWith(millis, report)
  return {
    insert: (id, session, now, bound, evicted) => guard("insert", () => index.insert(id, session, now, bound, evicted)),
    list: (subject, now) => guard("list", () => index.list(subject, now)),
    forget: (subject, id) => guard("remove", () => index.forget(subject, id))
  }
}

export const guardedRevocation = (
  revocation: RevocationService,
  millis: number,
  report: Report
): RevocationService => {
  const guard = guardWith(millis, report)
  return {
    check: (names, now) => guard("check", () => revocation.check(names, now)),
    deny: (name, denial, now) => guard("deny", () => revocation.deny(name, denial, now)),
    denyOlder: (name, denial, now) => guard("deny", () => revocation.denyOlder(name, denial, now)),
    removeExpired: (now, limit) => guard("removeExpired", () => revocation.removeExpired(now, limit))
  }
}

const guardWith = (millis: number, report: Report) => {
  const inTime = boundedBy(millis, report)
  return <A>(
    operation: SessionStoreError["operation"],
    call: () => Effect.Effect<A, SessionStoreError>
  ): Effect.Effect<A, SessionStoreError> => {
    let effect: Effect.Effect<A, SessionStoreError>
    try {
      effect = call()
    } catch (defect) {
      return report(SessionStoreError.of(operation, "Unavailable", defect))
    }
    return isDone(effect) ? effect : inTime(operation, effect)
  }
}

/** Ends a call that has to wait by the time-out. */
const boundedBy = (millis: number, report: Report) =>
<A>(
  operation: SessionStoreError["operation"],
  effect: Effect.Effect<A, SessionStoreError>
): Effect.Effect<A, SessionStoreError> => {
  const bounded = (effect: Effect.Effect<A, SessionStoreError>): Effect.Effect<A, SessionStoreError> =>
    Effect.withFiberRuntime((fiber) => {
      const since = performance.now()
      const answered = Effect.matchCauseEffect(
        withDeadline(effect, millis, () => SessionStoreError.of(operation, "Timeout")),
        {
          onFailure: (cause) => {
            Metrics.took(operation, performance.now() - since)
            const error = errorOf(cause)
            return report(
              error instanceof SessionStoreError ? error : SessionStoreError.of(operation, "Unavailable", cause)
            )
          },
          onSuccess: (answer) => {
            Metrics.took(operation, performance.now() - since)
            return Effect.succeed(answer)
          }
        }
      )
      return Spans.isTraced(fiber) ? Spans.client(answered, `SessionStore.${operation}`, {}) : answered
    })
  // The time-out begins with the caller's turn. A failure of the store ends the whole queue, and is reported once.
  return InTurn.is(effect) ? effect.each(bounded) : bounded(effect)
}
