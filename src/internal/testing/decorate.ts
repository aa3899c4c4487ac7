/**
 * One function around every call to a backend and to its index.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import {
  SessionBackend,
  type SessionBackendService,
  SubjectIndex,
  type SubjectIndexService
} from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"

/** The functions of `SessionBackend` and `SubjectIndex`; `insert` is that of both. */
export type Operation = "find" | "insert" | "update" | "remove" | "removeExpired" | "list" | "forget"

export type Around = <A>(
  operation: Operation,
  call: () => Effect.Effect<A, SessionStoreError>
) => Effect.Effect<A, SessionStoreError>

export const backend = (self: SessionBackendService, around: Around): SessionBackendService => ({
  find: (id, now) => around("find", () => self.find(id, now)),
  insert: (id, session, now) => around("insert", () => self.insert(id, session, now)),
  update: (id, patch, now, ifVersion, base) => around("update", () => self.update(id, patch, now, ifVersion, base)),
  remove: (id, ifVersion, now, successor) => around("remove", () => self.remove(id, ifVersion, now, successor)),
  removeExpired: (now, limit, removed) => around("removeExpired", () => self.removeExpired(now, limit, removed)),
  ...self.count === undefined ? {} : { count: self.count },
  isAlone: self.isAlone
})

export const index = (self: SubjectIndexService, around: Around): SubjectIndexService => ({
  insert: (id, session, now, bound, evicted) => around("insert", () => self.insert(id, session, now, bound, evicted)),
  list: (subject, now) => around("list", () => self.list(subject, now)),
  forget: (subject, id) => around("forget", () => self.forget(subject, id))
})

/** The backend and the index of a context, decorated; what else it has stays. */
export const context = <A>(self: Context.Context<A | SessionBackend>, around: Around): Context.Context<
  A | SessionBackend
> => {
  const decorated = Context.add(self, SessionBackend, backend(Context.get(self, SessionBackend), around))
  const given = Context.getOption(self, SubjectIndex)
  return given._tag === "None"
    ? decorated
    // the context had the tag already: its type says so where the caller can know it
    : Context.add(decorated, SubjectIndex, index(given.value, around)) as Context.Context<A | SessionBackend>
}

/** Other fibers run before and after the call. */
export const yielding: Around = (_, call) =>
  Effect.yieldNow().pipe(Effect.zipRight(Effect.suspend(call)), Effect.zipLeft(Effect.yieldNow()))
