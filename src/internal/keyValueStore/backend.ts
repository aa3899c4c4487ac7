/**
 * `SessionBackend` and `SubjectIndex` over a `KeyValueStore`. Each session has a value of its own and an entry for clean-up,
 * and each subject has a list of its sessions.
 *
 * A change of several values writes them in an order in which a crash between two writes loses no session, and leaves no
 * session that clean-up or its subject's list does not know. Both learn of a session before its record is written, and
 * forget it after its record is removed.
 *
 * A caller that has one turn may wait for another one only in this order: step, subject, record, entries.
 */
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  NewSession,
  Owner,
  Patch,
  Renewed,
  SessionBackendService,
  SubjectIndexService,
  Successor,
  Updated
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import type { KeyValueError } from "../edition/keyValues.js"
import * as Mark from "../store/mark.js"
import * as CleanUp from "./cleanUp.js"
import * as Record from "./record.js"
import * as SubjectIndex from "./subjectIndex.js"
import * as Values from "./values.js"

export interface Backend {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
}

const made = new WeakMap<KeyValueStore.KeyValueStore, Map<string, Backend>>()

/** Returns the same backend for the same store and prefix, because its turns are what makes each call atomic. */
export const make = (store: KeyValueStore.KeyValueStore, prefix: string): Backend => {
  let backends = made.get(store)
  if (backends === undefined) made.set(store, backends = new Map())
  let backend = backends.get(prefix)
  if (backend === undefined) backends.set(prefix, backend = create(Values.make(store, prefix)))
  return backend
}

const keyOf = (id: string): string => `record-${Buffer.from(id, "base64url").toString("hex")}`

const create = (values: Values.Values): Backend => {
  const cleanUp = CleanUp.make(values)

  const read = (id: string): Effect.Effect<Record.Found, KeyValueError> =>
    Effect.map(values.get(keyOf(id)), (text) => text === undefined ? undefined : Record.decode(id, text))

  const find = (id: string) => values.reading(keyOf(id), read(id))

  /** Reads a record and runs what `decide` returns for it, both in one turn. */
  const change = <A>(
    id: string,
    decide: (found: Record.Found) => Effect.Effect<A, KeyValueError>
  ): Effect.Effect<A, KeyValueError> => values.writing(keyOf(id), Effect.flatMap(read(id), decide))

  const insert = (id: string, session: NewSession, now: number) =>
    change(id, (found) => {
      if (Record.isLive(found, now)) return Effect.succeed(false)
      const write = values.set(keyOf(id), Record.encode(id, { ...session, version: 1 }))
      return Effect.as(Effect.zipRight(cleanUp.add(id, session), write), true)
    })

  const update = (id: string, patch: Patch, now: number, ifVersion: number | undefined) =>
    change<Updated>(id, (found) => {
      if (found?._tag !== "Stored" || !Record.isLive(found, now)) return Effect.succeed({ _tag: "Missing" })
      const mark = Record.markIn(found)
      if (mark !== undefined) return Effect.succeed(mark)
      const { data: before, owner, version: current, ...times } = found.session
      if (ifVersion !== undefined && ifVersion !== current) return Effect.succeed({ _tag: "Conflict" })
      const data = Data.applyPatch(before, patch)
      const size = Data.totalBytes(data)
      if (size > patch.maxBytes && size > Data.totalBytes(before)) return Effect.succeed({ _tag: "TooLarge", size })
      const expiry = patch.expiry ?? times
      const session = { ...expiry, data, owner, version: current + 1 }
      const write = values.set(keyOf(id), Record.encode(id, session))
      if (session.expiresAt < times.expiresAt) cleanUp.readAgain()
      return Effect.as(
        found.listed ? write : Effect.zipRight(cleanUp.add(id, session), write),
        { _tag: "Updated", version: session.version, expiry }
      )
    })

  const remove = (id: string, ifVersion: number | undefined, now: number, successor: Successor | undefined) =>
    change<"removed" | "conflict" | "missing" | Renewed>(id, (found) => {
      if (found === undefined || !Record.isLive(found, now)) return Effect.succeed("missing")
      const mark = Record.markIn(found)
      if (mark !== undefined) return Effect.succeed(mark)
      const version = found._tag === "Stored" ? found.session.version : undefined
      if (ifVersion !== undefined && ifVersion !== version) return Effect.succeed("conflict")
      if (successor === undefined) return Effect.as(values.remove(keyOf(id)), "removed")
      const left = { ...Mark.toRecord(successor, now), version: Mark.version }
      const write = values.set(keyOf(id), Record.encode(id, left))
      cleanUp.readAgain() // the mark ends before the session would have
      return Effect.as(Effect.zipRight(cleanUp.add(id, left), write), "removed")
    })

  const erase = (id: string) => values.writing(keyOf(id), values.remove(keyOf(id)))

  const index = SubjectIndex.make(values, { find, insert, erase })

  /** Removes the session of an entry if it has expired. A record of a newer format is not looked at before a restart. */
  const settle = ({ expiresAt, id, subject }: CleanUp.Entry, now: number, removed?: Removed) =>
    change<CleanUp.Outcome>(id, (found) => {
      if (found === undefined) return Effect.succeed("gone")
      if (found._tag === "Corrupt" && found.newerFormat) return Effect.succeed(Infinity)
      const end = found._tag === "Stored" ? found.session.expiresAt : expiresAt
      if (end > now) return Effect.succeed(end)
      return Effect.map(values.remove(keyOf(id)), () => {
        if (Record.markIn(found) === undefined) removed?.(id, ownerIn(found)?.subject)
        return "removed"
      })
    }).pipe(
      Effect.tap((outcome) =>
        typeof outcome === "number" || subject === undefined ? Effect.void : index.forget(subject, id)
      )
    )

  return {
    backend: {
      find: (id, now) =>
        failing("find")(Effect.map(find(id), (found) =>
          found === undefined || !Record.isLive(found, now)
            ? Option.none()
            : Option.some(Record.markIn(found) ?? (found._tag === "Stored" ? found.session : found)))),
      insert: (id, session, now) => failing("insert")(insert(id, session, now)),
      update: (id, patch, now, ifVersion) => failing("update")(update(id, patch, now, ifVersion)),
      remove: (id, ifVersion, now, successor) => failing("remove")(remove(id, ifVersion, now, successor)),
      removeExpired: (now, limit, removed) =>
        failing("removeExpired")(cleanUp.step(now, limit, (entry) => settle(entry, now, removed)))
    },
    index: {
      insert: (id, session, now, bound, evicted) => failing("insert")(index.insert(id, session, now, bound, evicted)),
      list: (subject, now) => failing("list")(index.list(subject, now)),
      forget: (subject, id) => failing("remove")(index.forget(subject, id))
    }
  }
}

/** Learns which session the clean-up has removed. */
type Removed = (id: string, subject: string | undefined) => void

const ownerIn = (found: Record.Found): Owner | undefined => found?._tag === "Stored" ? found.session.owner : undefined

const failing = (operation: SessionStoreError["operation"]) =>
  Effect.mapError((error: KeyValueError) => SessionStoreError.of(operation, "Unavailable", error))
