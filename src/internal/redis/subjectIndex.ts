/**
 * `SubjectIndex` on Redis. The index and a record are two keys, and no script may touch both. The promises are therefore kept by
 * the order of the steps of a sign-in:
 *
 * 1. Claim a place in the index, which condemns the oldest sessions where the bound asks for it.
 * 2. Remove the records of all condemned sessions.
 * 3. Insert the record.
 * 4. Settle: mark the insert as over, and forget the condemned sessions.
 *
 * A record is inserted only after another one has made room, so that there are never more than the bound allows. A record is in
 * the index from before it exists until after it is gone, wherever the caller is cut off. This leaves entries without a record
 * behind. Such an entry differs from an insert in progress because it was settled, or else by its age.
 *
 * Clocks differ between processes. Therefore an entry is dead when its record is gone, and not when the record has expired by
 * this process's clock. Before the place of an expired session is given away, its record is removed. Before the place of an
 * insert that was never heard of again is given away, its id is buried.
 */
import * as Effect from "effect/Effect"
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  SubjectBound,
  SubjectIndexService
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import { sha256 } from "../codec/sha256.js"
import type { Commands } from "./commands.js"
import * as Records from "./record.js"
import * as Scripts from "./scripts.js"

/** An entry that was never settled counts as an insert in progress for so long. Without a record it is dead afterwards. */
const graceMillis = 60_000

/**
 * The place of such an entry is given to another sign-in sooner, so that a sign-in that failed during an outage of Redis keeps
 * nobody out for long. The id is buried first, so that the insert cannot arrive any more.
 */
const patienceMillis = 10_000

/** Time-outs are a matter of seconds: no insert arrives later than this. */
const tombstoneMillis = "600000"

/**
 * How many times `list` reads the index: at most 64 times while sessions vanish between the index and their records, and 3 times
 * while it is only possible that they did.
 */
const maxLooks = 64
const maxUnsureLooks = 3

interface Entry {
  readonly id: string
  /** when the insert began; NaN when it is over */
  readonly claimedAt: number
}

/** What stands behind an entry. */
type Found =
  | { readonly _tag: "Live"; readonly session: ListedSession }
  | { readonly _tag: "Expired"; readonly version: number }
  | { readonly _tag: "Missing" | "Buried" | "Another" }
  | { readonly _tag: "Unreadable"; readonly newerFormat: boolean }

type Answer<A> = Effect.Effect<A, SessionStoreError>

export const make = (commands: Commands, prefix: string): SubjectIndexService => ({
  insert: (id, session, now, bound, evicted) => insert(commands, prefix, id, session, now, bound, evicted),
  list: (subject, now) => look(commands, prefix, subject, now, 1, new Set()),
  forget: (subject, id) => forget(commands, indexKey(prefix, Records.subjectText(subject)), [id])
})

const insert = (
  commands: Commands,
  prefix: string,
  id: string,
  session: NewSession & { readonly owner: Owner },
  now: number,
  bound: SubjectBound | undefined,
  evicted: ((id: string) => void) | undefined
): Answer<"Inserted" | "Taken" | "Full"> => {
  const subject = Records.subjectText(session.owner.subject)
  const key = indexKey(prefix, subject)
  const ttl = indexTtl(session, now)
  let sent = false

  const claim = (verified: boolean, dead: ReadonlyArray<string>) =>
    commands.script("insert", Scripts.claim, key, [
      String(now),
      id,
      String(session.createdAt),
      ttl,
      bound === undefined ? "-" : String(bound.max),
      bound?.whenFull === "evict-oldest" ? "evict" : "refuse",
      verified ? "1" : "0",
      ...dead
    ], readClaim)

  /** The caller gets a failure: the insert must not arrive later, and its place is free at once. */
  const giveUp = Effect.suspend(() => {
    const bury: Answer<unknown> = sent
      ? commands.script("insert", Scripts.evict, prefix + id, [subject, tombstoneMillis], String)
      : Effect.void
    return Effect.ignore(Effect.zipRight(bury, forget(commands, key, [id])))
  })

  return Effect.onError(
    Effect.gen(function*() {
      const first = yield* claim(false, [])
      const { answer, entries } = first.answer === "V"
        ? yield* claim(true, yield* findDead(commands, prefix, subject, first.entries, now, true))
        : first
      if (answer === "F") return "Full"
      const condemned = answer === "C" ? entries : []
      const removed: Array<string> = []
      yield* forEach(condemned, (entry) =>
        Effect.map(
          commands.script("insert", Scripts.evict, prefix + entry.id, [
            subject,
            Number.isNaN(entry.claimedAt) ? "-" : tombstoneMillis
          ], String),
          (reply) => {
            if (reply === "R") removed.push(entry.id)
          }
        ))
      sent = true
      const reply = yield* commands.script(
        "insert",
        Scripts.insert,
        prefix + id,
        Records.insertArguments(session, now),
        String
      )
      // A failure from here on heals by itself: the record exists, and the index has it.
      yield* Effect.ignore(Effect.gen(function*() {
        const dead = answer === "S"
          ? yield* findDead(commands, prefix, subject, entries, now, false)
          : condemned.map(idOf)
        yield* commands.script("insert", Scripts.settle, key, [
          id,
          String(session.createdAt),
          reply === "I" ? ttl : "-",
          ...dead
        ], String)
      }))
      if (reply === "I") { for (const id of removed) evicted?.(id) }
      // `E`: another sign-in has evicted this one between claim and insert. The result is the same as if this sign-in had been
      // complete before the other one began.
      return reply === "T" ? "Taken" : reply === "E" && bound?.whenFull === "refuse" ? "Full" : "Inserted"
    }),
    () => giveUp
  )
}

/**
 * Reads the index and then each record. A session that is renewed in between is in the index under its old id, whose record is
 * gone when it is read. Then the index is read again, until no record vanishes any more. `gone` has the ids whose record was
 * already gone for good before the index was read this time.
 */
const look = (
  commands: Commands,
  prefix: string,
  subjectName: string,
  now: number,
  nth: number,
  gone: Set<string>
): Answer<ReadonlyArray<{ readonly id: string; readonly session: ListedSession }>> =>
  Effect.gen(function*() {
    const subject = Records.subjectText(subjectName)
    const key = indexKey(prefix, subject)
    const entries = yield* commands.readHash("list", key, readIndex)
    const dead: Array<string> = []
    const sessions: Array<{ readonly id: string; readonly session: ListedSession }> = []
    let vanished = false
    let unsure = false
    yield* forEach(entries, (entry) =>
      Effect.map(behind(commands, "list", prefix, subject, entry, now), (found) => {
        switch (found._tag) {
          case "Live":
            sessions.push({ id: entry.id, session: found.session })
            break
          case "Missing":
            // The record may not have arrived yet, or it has come and gone.
            if (isInProgress(entry, now)) unsure = true
            else {
              if (!gone.has(entry.id)) vanished = true
              dead.push(entry.id)
            }
            break
          case "Buried":
          case "Another":
            dead.push(entry.id)
            break
          case "Expired":
          case "Unreadable":
            break
        }
      }))
    for (const id of dead) gone.add(id)
    if (vanished || (unsure && nth < maxUnsureLooks)) {
      if (nth === maxLooks) {
        return yield* Effect.fail(
          SessionStoreError.of("list", "Contention", "sessions were renewed each time they were read")
        )
      }
      return yield* look(commands, prefix, subjectName, now, nth + 1, gone)
    }
    if (gone.size > 0) yield* Effect.ignore(forget(commands, key, [...gone]))
    return sessions.sort((x, y) => x.session.createdAt - y.session.createdAt || (x.id < y.id ? -1 : 1))
  })

/**
 * Keeps the entry of a session that lives longer. The record is already written. When this step fails, the next refresh makes
 * up for it, and the index lives until then, see `indexTtl`.
 */
export const keep = (
  commands: Commands,
  prefix: string,
  subject: string,
  id: string,
  expiry: Expiry,
  now: number
): Effect.Effect<void> =>
  Effect.ignore(
    commands.script("update", Scripts.keep, indexKey(prefix, subject), [
      id,
      String(expiry.createdAt),
      indexTtl(expiry, now)
    ], String)
  )

const indexKey = (prefix: string, subject: string): string => `${prefix}subject:${sha256(subject)}`

/** Twice the life of the session, so that one refresh may be lost: the next one must come within one life. */
const indexTtl = (expiry: Expiry, now: number): string => Records.ttl(2 * (expiry.expiresAt - now))

const idOf = (entry: Entry): string => entry.id

const isInProgress = (entry: Entry, now: number, millis = graceMillis): boolean =>
  Math.abs(now - entry.claimedAt) < millis

/** Reads the record of an entry without its data, which a page of sessions does not need. */
const behind = (
  commands: Commands,
  operation: "insert" | "list",
  prefix: string,
  subject: string,
  entry: Entry,
  now: number
): Answer<Found> =>
  commands.run<Found>(operation, "HMGET", [prefix + entry.id, "s", "o", "a"], (reply) => {
    const [text, owner, about] = reply as ReadonlyArray<string | null> // HMGET gives a bulk string or nil for each field
    if (text === null) return { _tag: "Missing" }
    const state = Records.readState(text, now)
    if (state._tag === "Gone") return { _tag: "Buried" }
    if (state._tag === "Corrupt") return { _tag: "Unreadable", newerFormat: state.newerFormat }
    if (owner !== subject) return { _tag: "Another" }
    if (state._tag === "Expired") return { _tag: "Expired", version: state.version }
    const session = Records.listed(state, owner, about)
    return session === undefined ? { _tag: "Unreadable", newerFormat: false } : { _tag: "Live", session }
  }, (message) => message.startsWith("WRONGTYPE") ? { _tag: "Unreadable", newerFormat: false } : undefined)

/**
 * Returns the ids of the entries that have no session of the subject behind them. A record of a newer format counts as a
 * session, because a later version of this library can read it.
 *
 * With `gives` the places of these entries are given away. Before that, an expired session is removed, unless a process whose
 * clock is behind has refreshed it in the meantime, and an insert that was never settled is kept from arriving.
 */
const findDead = (
  commands: Commands,
  prefix: string,
  subject: string,
  entries: ReadonlyArray<Entry>,
  now: number,
  gives: boolean
): Answer<ReadonlyArray<string>> => {
  const dead: Array<string> = []

  const isDead = (entry: Entry, found: Found): boolean | Answer<boolean> => {
    switch (found._tag) {
      case "Live":
        return false
      case "Unreadable":
        return !found.newerFormat
      case "Buried":
      case "Another":
        return true
      case "Missing":
        if (isInProgress(entry, now, gives ? patienceMillis : graceMillis)) return false
        return !gives || Number.isNaN(entry.claimedAt)
          ? true
          : commands.script("insert", Scripts.bury, prefix + entry.id, [tombstoneMillis], (reply) => reply === "B")
      case "Expired":
        return gives
          && commands.script(
            "insert",
            Scripts.remove,
            prefix + entry.id,
            [`${now} ${found.version}`],
            (reply) => reply !== "C"
          )
    }
  }

  return Effect.as(
    forEach(entries, (entry) =>
      Effect.flatMap(behind(commands, "insert", prefix, subject, entry, now), (found) => {
        const verdict = isDead(entry, found)
        return Effect.map(typeof verdict === "boolean" ? Effect.succeed(verdict) : verdict, (isDead) => {
          if (isDead) dead.push(entry.id)
        })
      })),
    dead
  )
}

const forget = (commands: Commands, key: string, ids: ReadonlyArray<string>): Answer<void> =>
  commands.run("remove", "HDEL", [key, ...ids], () => undefined)

/** All commands share one connection, which pipelines them. The limit keeps a subject with very many sessions from flooding it. */
const forEach = <A>(entries: ReadonlyArray<Entry>, f: (entry: Entry) => Answer<A>): Answer<void> =>
  Effect.forEach(entries, f, { concurrency: 100, discard: true })

/** Reads entries `<createdAt> <claimedAt>`. `-` and what cannot be read become NaN, which is within no period of grace. */
const readIndex = (reply: unknown): ReadonlyArray<Entry> => {
  const list = Records.flat(reply)
  const entries: Array<Entry> = []
  for (let i = 0; i < list.length; i += 2) {
    entries.push({ id: list[i].toString(), claimedAt: Number(list[i + 1].toString().split(" ")[1]) })
  }
  return entries
}

/** Reads the letter of the script's reply, and the entries as id, claimedAt, … behind it. */
const readClaim = (reply: unknown): { readonly answer: string; readonly entries: ReadonlyArray<Entry> } => {
  const [answer, ...list] = reply as ReadonlyArray<string> // the script returns a list of texts
  const entries: Array<Entry> = []
  for (let i = 0; i < list.length; i += 2) entries.push({ id: list[i], claimedAt: Number(list[i + 1]) })
  return { answer, entries }
}
