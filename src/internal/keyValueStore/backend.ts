/**
 * Sessions in a `KeyValueStore`: one value a session, an agenda of when they are due, and an index value a subject.
 *
 * Whatever is written in several steps is written in an order in which a crash between them loses nothing that counts: the
 * agenda and the index before the record (they may name records that are not there), the record's end before theirs.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  SubjectIndexService,
  Updated
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import * as Data from "../codec/packedData.js"
import { Agenda, type Entry, minuteOf } from "./agenda.js"
import * as Cell from "./cell.js"
import * as Record from "./record.js"
import { hashOf, hexOf, Values } from "./values.js"

export interface Backend {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
}

type Failure = PlatformError | Cell.NewerCell

interface Evicted {
  readonly id: string
  readonly text: string
}

const recordKey = (id: string): string => `record-${hexOf(id)}`
const subjectKey = (hash: string): string => `subject-${hash}`

/** A record that a later version wrote cannot be judged: its entry is looked at again after so long. */
const postponeMillis = 24 * 60 * 60 * 1000

/** The canonical text of 32 octets: another text of them would be another id of the same value. */
const isId = (id: string): boolean => /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(id)

const made = new WeakMap<KeyValueStore.KeyValueStore, Map<string, Backend>>()

/** One backend for a store and a prefix, however often it is asked for: its locks are what makes its steps atomic. */
export const make = (store: KeyValueStore.KeyValueStore, prefix: string): Backend => {
  let backends = made.get(store)
  if (backends === undefined) made.set(store, backends = new Map())
  let backend = backends.get(prefix)
  if (backend === undefined) backends.set(prefix, backend = create(store, prefix))
  return backend
}

const create = (store: KeyValueStore.KeyValueStore, prefix: string): Backend => {
  const values = new Values(store, prefix)
  const agenda = new Agenda(values)

  const failing = <A>(
    operation: SessionStoreError["operation"],
    effect: Effect.Effect<A, Failure>
  ): Effect.Effect<A, SessionStoreError> =>
    Effect.mapError(effect, (failure) => SessionStoreError.of(operation, "Unavailable", failure))

  // ── records; the caller holds the record's name ──

  const nameOf = (id: string): string => `record ${id}`

  const read = (id: string): Effect.Effect<Record.Stored | Record.Unreadable | undefined, PlatformError> =>
    Effect.map(values.get(recordKey(id)), (text) => text === undefined ? undefined : Record.decode(id, text))

  const write = (id: string, session: StoredSession, indexedAt: number): Effect.Effect<void, PlatformError> =>
    values.set(recordKey(id), Record.encode(id, session, indexedAt))

  const erase = (id: string): Effect.Effect<void, PlatformError> => values.remove(recordKey(id))

  const entryOf = (id: string, time: number, owner: Owner | undefined): Entry => ({
    id,
    time,
    subject: owner && hashOf(owner.subject)
  })

  const find = (id: string): Effect.Effect<Record.Stored | Record.Unreadable | undefined, PlatformError> =>
    values.reading(nameOf(id), read(id))

  const insert = (id: string, session: NewSession, now: number): Effect.Effect<boolean, Failure> =>
    values.writing(
      nameOf(id),
      Effect.gen(function*() {
        const found = yield* read(id)
        if (found !== undefined && !isExpired(found, now)) return false
        yield* agenda.add(entryOf(id, session.expiresAt, session.owner))
        yield* write(id, { ...session, version: 1 }, session.expiresAt)
        return true
      })
    )

  const update = (
    id: string,
    patch: Patch,
    now: number,
    ifVersion: number | undefined
  ): Effect.Effect<Updated, Failure> =>
    values.writing(
      nameOf(id),
      Effect.gen(function*() {
        const found = yield* read(id)
        if (found === undefined || found._tag === "Corrupt" || isExpired(found, now)) return missing
        const { session } = found
        if (ifVersion !== undefined && ifVersion !== session.version) return conflict
        const data = Data.applyPatch(session.data, patch)
        const size = Data.totalOctets(data)
        if (size > patch.maxBytes && size > Data.totalOctets(session.data)) return { _tag: "TooLarge", size }
        const expiry = expiryOf(patch.expiry ?? session)
        let { indexedAt } = found
        // An entry that comes too late would leave the record lying around, and so would one that got lost.
        if (patch.expiry !== undefined && (expiry.expiresAt < indexedAt || agenda.isPast(indexedAt))) {
          indexedAt = expiry.expiresAt
          yield* agenda.add(entryOf(id, indexedAt, session.owner))
        }
        const version = session.version + 1
        yield* write(id, { ...session, ...expiry, data, version }, indexedAt)
        return { _tag: "Updated", version, expiry }
      })
    )

  const remove = (
    id: string,
    ifVersion: number | undefined,
    now: number
  ): Effect.Effect<"removed" | "conflict" | "missing", PlatformError> =>
    values.writing(
      nameOf(id),
      Effect.gen(function*() {
        const found = yield* read(id)
        if (found === undefined || isExpired(found, now)) return "missing" as const
        const version = found._tag === "Stored" ? found.session.version : undefined
        if (ifVersion !== undefined && ifVersion !== version) return "conflict" as const
        return yield* Effect.as(erase(id), "removed" as const)
      })
    )

  // ── expiry ──

  /** Deals with an entry that is due; true when it removed a record. The subject comes after the record: see `writing`. */
  const settle = (entry: Entry, now: number): Effect.Effect<boolean, Failure> =>
    Effect.gen(function*() {
      const { id } = entry
      const gone = yield* values.writing(
        nameOf(id),
        Effect.gen(function*() {
          const found = yield* read(id)
          if (found === undefined) return "before"
          if (found._tag === "Corrupt") {
            if (!found.newerFormat) return yield* Effect.as(erase(id), "now")
            return yield* Effect.as(agenda.add({ ...entry, time: now + postponeMillis }), "not")
          }
          if (isExpired(found, now)) return yield* Effect.as(erase(id), "now")
          // Of another entry's time: that one counts. A record that took the place of an expired one may be another's.
          if (found.indexedAt !== entry.time) return isOwnedBy(found.session, entry.subject) ? "not" : "before"
          yield* agenda.add({ ...entry, time: found.session.expiresAt })
          yield* write(id, found.session, found.session.expiresAt)
          return "not"
        })
      )
      if (gone !== "not" && entry.subject !== undefined) yield* forget(entry.subject, id)
      return gone === "now"
    })

  const sweep = (now: number, limit: number): Effect.Effect<number, Failure> =>
    Effect.gen(function*() {
      let removed = 0
      // Sessions that live on are work as well: a step has an end also where nothing has expired.
      let looked = 0
      const mostLooked = limit * 4
      for (;;) {
        const due = yield* agenda.advance(now)
        if (due === undefined) break
        // Backwards: the last entry fills the gap of a removed one, and has been looked at by then.
        for (let at = due.count - 1; at >= 0; at--) {
          if (removed >= limit || looked >= mostLooked) return removed
          looked++
          const entry = yield* agenda.entryAt(due.minute, at)
          if (entry !== undefined) {
            if (entry.time > now) continue
            if (yield* settle(entry, now)) removed++
          }
          yield* agenda.removeAt(due.minute, at)
        }
        if (due.minute === minuteOf(now)) break
      }
      yield* agenda.save()
      return removed
    })

  // ── subjects ──

  const subjectName = (hash: string): string => `subject ${hash}`

  const readIds = (
    hash: string
  ): Effect.Effect<{ readonly cell: Cell.Content; readonly ids: Array<string> }, Failure> =>
    Effect.map(Cell.read(values, subjectKey(hash)), (cell) => ({ cell, ids: cell.text?.split(" ") ?? [] }))

  const writeIds = (hash: string, cell: Cell.Content, ids: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
    ids.length === 0
      ? Cell.remove(values, subjectKey(hash), cell)
      : Cell.write(values, subjectKey(hash), cell, ids.join(" "))

  /**
   * What became of the ids of a subject. `kept` are those that still may be its sessions: a record that has expired may come
   * back with the clock, one of a later version with the next deploy. No insert is under way: the caller holds the subject.
   */
  const review = (subject: string, ids: ReadonlyArray<string>, now: number) =>
    Effect.map(
      // One after the other, and without the data: a value has it all, and there may be thousands.
      Effect.forEach(ids, (id) =>
        Effect.map(find(id), (found) => {
          if (found?._tag !== "Stored") return { id, found }
          const { data: _data, ...session } = found.session
          return { id, found: { _tag: found._tag, session } as const }
        })),
      (all) => {
        const kept: Array<string> = []
        const live: Array<{ readonly id: string; readonly session: ListedSession }> = []
        for (const { found, id } of all) {
          if (found === undefined) continue
          if (found._tag === "Corrupt") {
            if (found.newerFormat) kept.push(id)
            continue
          }
          const { session } = found
          if (session.owner?.subject !== subject) continue
          kept.push(id)
          if (session.expiresAt > now) live.push({ id, session })
        }
        live.sort((a, b) => a.session.createdAt - b.session.createdAt)
        return { kept, live }
      }
    )

  const forget = (hash: string, id: string): Effect.Effect<void, Failure> =>
    values.writing(
      subjectName(hash),
      Effect.flatMap(readIds(hash), ({ cell, ids }) =>
        ids.includes(id) ? writeIds(hash, cell, ids.filter((other) => other !== id)) : Effect.void)
    )

  /** Before the new record is written, so that no crash leaves more than the bound allows. */
  const evict = (id: string, evicted: Array<Evicted>): Effect.Effect<void, PlatformError> =>
    values.writing(
      nameOf(id),
      Effect.flatMap(values.get(recordKey(id)), (text) => {
        if (text === undefined) return Effect.void
        return Effect.map(erase(id), () => void evicted.push({ id, text }))
      })
    )

  /** A sign-in that failed has cost nobody their session: a full disk takes back what it had. */
  const restore = ({ id, text }: Evicted): Effect.Effect<void> =>
    Effect.ignore(values.writing(
      nameOf(id),
      Effect.flatMap(values.has(recordKey(id)), (taken) => taken ? Effect.void : values.set(recordKey(id), text))
    ))

  const insertOwned = (
    id: string,
    session: NewSession & { readonly owner: Owner },
    now: number,
    bound: SubjectBound | undefined
  ): Effect.Effect<"Inserted" | "Taken" | "Full", Failure> => {
    const { subject } = session.owner
    const hash = hashOf(subject)
    return values.writing(
      subjectName(hash),
      Effect.gen(function*() {
        const taken = yield* find(id)
        if (taken !== undefined && !isExpired(taken, now)) return "Taken"
        const { cell, ids } = yield* readIds(hash)
        let others: ReadonlyArray<string> = ids
        let oldest: ReadonlyArray<{ readonly id: string }> = []
        if (bound !== undefined) {
          const { kept, live } = yield* review(subject, ids, now)
          const surplus = live.length + 1 - bound.max
          if (surplus > 0) {
            if (bound.whenFull === "refuse" || bound.max < 1) return "Full"
            oldest = live.slice(0, surplus)
          }
          others = kept
        }
        yield* writeIds(hash, cell, [...others.filter((other) => other !== id), id])
        const evicted: Array<Evicted> = []
        const inserted = yield* Effect.tapError(
          Effect.zipRight(
            Effect.forEach(oldest, (entry) => evict(entry.id, evicted), { discard: true }),
            insert(id, session, now)
          ),
          // What there is of the new one first: it may be what the disk has no room for.
          () => Effect.zipRight(Effect.ignore(erase(id)), Effect.forEach(evicted, restore, { discard: true }))
        )
        return inserted ? "Inserted" : "Taken"
      })
    )
  }

  const list = (subject: string, now: number) => {
    const hash = hashOf(subject)
    return values.writing(
      subjectName(hash),
      Effect.gen(function*() {
        const { cell, ids } = yield* readIds(hash)
        const { kept, live } = yield* review(subject, ids, now)
        if (kept.length < ids.length) yield* writeIds(hash, cell, kept)
        return live
      })
    )
  }

  const backend: SessionBackendService = {
    find: (id, now) =>
      isId(id)
        ? failing(
          "find",
          Effect.map(find(id), (found) =>
            found === undefined || isExpired(found, now)
              ? Option.none()
              : Option.some(found._tag === "Stored" ? found.session : found))
        )
        : Effect.succeedNone,
    insert: (id, session, now) => isId(id) ? failing("insert", insert(id, session, now)) : refuse,
    update: (id, patch, now, ifVersion) =>
      isId(id) ? failing("update", update(id, patch, now, ifVersion)) : Effect.succeed(missing),
    remove: (id, ifVersion, now) =>
      isId(id) ? failing("remove", remove(id, ifVersion, now)) : Effect.succeed("missing"),
    removeExpired: (now, limit) => failing("removeExpired", values.reading("sweep", sweep(now, limit)))
  }

  const index: SubjectIndexService = {
    insert: (id, session, now, bound) => isId(id) ? failing("insert", insertOwned(id, session, now, bound)) : refuse,
    list: (subject, now) => failing("list", list(subject, now)),
    forget: (subject, id) => failing("remove", forget(hashOf(subject), id))
  }

  return { backend, index }
}

const missing: Updated = { _tag: "Missing" }
const conflict: Updated = { _tag: "Conflict" }
const refuse = Effect.die(new TypeError("a session id is 43 characters of base64url"))

/** A record that cannot be read is there, whatever its time was. */
const isExpired = (found: Record.Stored | Record.Unreadable, now: number): boolean =>
  found._tag === "Stored" && found.session.expiresAt <= now

const isOwnedBy = ({ owner }: StoredSession, hash: string | undefined): boolean =>
  owner !== undefined && hashOf(owner.subject) === hash

const expiryOf = (times: Expiry): Expiry => ({
  createdAt: times.createdAt,
  refreshedAt: times.refreshedAt,
  expiresAt: times.expiresAt,
  idleMillis: times.idleMillis,
  persistent: times.persistent,
  own: times.own
})
