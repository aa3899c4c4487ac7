/**
 * What every layer of a server store provides: the store, the sessions of a subject, and the clean-up, over a backend and an index.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SessionBackendService, SubjectBound, SubjectIndexService } from "../../SessionBackend.js"
import type { Mistake } from "../config/mistakes.js"
import { Hub } from "../events/hub.js"
import * as cleanUp from "../server/cleanUp.js"
import * as Guard from "../server/guard.js"
import * as ReportFailure from "../server/reportFailure.js"
import * as ServerStore from "../server/serverStore.js"
import * as SubjectSessions from "../server/subjectSessions.js"
import { SessionStore, type SessionStoreService } from "../store/contract.js"
import type { Events } from "../store/event.js"
import type { SessionConfig } from "../store/options.js"
import { SessionList, Sessions } from "../store/subjectContract.js"

/** A store over the backend, with a clean-up in the background that lives as long as the layer. */
export const serverStore = (
  config: SessionConfig,
  backend: SessionBackendService
): Effect.Effect<SessionStoreService, never, Scope.Scope> =>
  Effect.flatMap(ReportFailure.make, (report) => {
    const guarded = Guard.guarded(backend, config.storeTimeoutMillis, report)
    const store = ServerStore.make(config, guarded)
    return Effect.as(cleaningUp(config, cleanUp.sessions(config, guarded, store.events)), store)
  })

/** A store over the backend, and the sessions of a subject over its index. */
export const indexedStore = (
  config: SessionConfig,
  backend: SessionBackendService,
  index: SubjectIndexService,
  bound: SubjectBound | undefined,
  events: Events = new Hub(config.name)
): Effect.Effect<Context.Context<SessionStore | Sessions | SessionList>, never, Scope.Scope> =>
  Effect.flatMap(ReportFailure.make, (report) => {
    const guarded = Guard.guarded(backend, config.storeTimeoutMillis, report)
    const guardedIndex = Guard.guardedIndex(index, config.storeTimeoutMillis, report)
    const sessions = SubjectSessions.make(config, guarded, guardedIndex, events)
    const provided = Context.make(SessionStore, ServerStore.make(config, guarded, guardedIndex, bound, events)).pipe(
      Context.add(Sessions, sessions),
      Context.add(SessionList, sessions)
    )
    return Effect.as(cleaningUp(config, cleanUp.sessions(config, guarded, events)), provided)
  })

/** Cleans up in the background, for as long as the scope, unless the configuration says that nothing does. */
export const cleaningUp = (
  config: SessionConfig,
  forever: Effect.Effect<never>
): Effect.Effect<void, never, Scope.Scope> =>
  Number.isFinite(config.cleanupIntervalMillis)
    ? Effect.asVoid(Effect.forkScoped(forever))
    : Effect.void

/** The mistakes in a bound that plain JavaScript, or a `Config`, may have given. */
export const subjectBoundMistakes = (bound: unknown): ReadonlyArray<Mistake> => {
  if (bound === undefined) return []
  if (typeof bound !== "object" || bound === null) {
    return [{ path: "subjectBound", message: "must be a record with max and whenFull" }]
  }
  const { max, whenFull }: { readonly max?: unknown; readonly whenFull?: unknown } = bound
  const mistakes: Array<Mistake> = []
  if (!Number.isSafeInteger(max) || Number(max) < 1) {
    mistakes.push({ path: "subjectBound.max", message: "must be a whole number of at least 1" })
  }
  if (whenFull !== "evict-oldest" && whenFull !== "refuse") {
    mistakes.push({ path: "subjectBound.whenFull", message: "must be evict-oldest or refuse" })
  }
  return mistakes
}
