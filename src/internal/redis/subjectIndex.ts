/**
 * `SubjectIndex` on Redis. The index and a record are two keys, and no script may touch both, so the order is what keeps
 * the promises:
 *
 * 1. claim a place in the index, which condemns the oldest sessions where the bound asks for it,
 * 2. remove the records of all that are condemned,
 * 3. insert the record,
 * 4. settle: the insert is over, forget the condemned.
 *
 * Each record is inserted only after another one has made room, so that there are never more than the bound allows; and a
 * record is in the index from before it exists until after it is gone, wherever the caller is cut off. What that leaves
 * behind are entries without a record. They are told from inserts under way by having been settled, or else by their age.
 *
 * Clocks differ: an entry is dead when its record is gone, not when that has expired by this clock. Who gives the place of
 * an expired session away removes its record first, and who gives away the place of an insert that was never heard of
 * again buries its id first.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  SubjectBound,
  SubjectIndexService
} from "../../SessionBackend.js"
import { SessionStoreError } from "../../SessionError.js"
import type { Commands } from "./commands.js"
import * as Records from "./record.js"
import * as Scripts from "./scripts.js"

/** An entry that was never settled is an insert under way for so long, and dead afterwards if it has no record. */
const graceMillis = 60_000

/**
 * Its place is given to another sign-in sooner, so that one that failed while Redis was away keeps nobody out for long: the
 * id is buried first, and the insert does not arrive any more.
 */
const patienceMillis = 10_000

/** Time-outs are seconds: no insert arrives later than this. */
const tombstoneMillis = "600000"

/** How often `list` looks: as long as sessions keep vanishing under its eyes, and while it only may be so. */
const maxLooks = 64
const maxUnsureLooks = 3

interface Entry {
  readonly id: string
  /** NaN when the insert is over */
  readonly claimedAt: number
}

/** What is behind an entry. */
type Found =
  | { readonly _tag: "Live"; readonly session: ListedSession }
  | { readonly _tag: "Expired"; readonly version: number }
  | { readonly _tag: "Missing" | "Buried" | "Another" }
  | { readonly _tag: "Unreadable"; readonly newerFormat: boolean }

type Answer<A> = Effect.Effect<A, SessionStoreError>

export const make = (commands: Commands, prefix: string): SubjectIndexService => ({
  insert: (id, session, now, bound) => insert(commands, prefix, id, session, now, bound),
  list: (subject, now) => look(commands, prefix, subject, now, 1, new Set()),
  forget: (subject, id) => forget(commands, indexKey(prefix, Records.subjectText(subject)), [id])
})

const insert = (
  commands: Commands,
  prefix: string,
  id: string,
  session: NewSession & { readonly owner: Owner },
  now: number,
  bound: SubjectBound | undefined
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

  /** The caller is told that it failed: it must not arrive later, and the place is free at once. */
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
      yield* forEach(condemned, (entry) =>
        commands.script("insert", Scripts.evict, prefix + entry.id, [
          subject,
          Number.isNaN(entry.claimedAt) ? "-" : tombstoneMillis
        ], String))
      sent = true
      const reply = yield* commands.script(
        "insert",
        Scripts.insert,
        prefix + id,
        Records.insertArguments(session, now),
        String
      )
      // What is lost from here on heals: the record is there, and in the index.
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
      // Evicted between the claim and the insert: another sign-in came after this one, as if this one had been quicker.
      return reply === "T" ? "Taken" : reply === "E" && bound?.whenFull === "refuse" ? "Full" : "Inserted"
    }),
    () => giveUp
  )
}

/**
 * The index and then each record. A session that is renewed in between is in the index under its old id, and its record is
 * gone when it is asked for: then the index is read again, until nothing vanishes any more. `gone` are those whose record
 * was gone before the index was read this time, for good.
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
            // It may not have come yet, or it came and went.
            if (isUnderWay(entry, now)) unsure = true
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
 * The session lives longer, so must its entry. The record is already written: what fails here is healed by the next
 * refresh, until which the index lives anyway, see `indexTtl`.
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

const indexKey = (prefix: string, subject: string): string =>
  `${prefix}subject:${createHash("sha256").update(subject).digest("base64url")}`

/** Twice the life of the session: one refresh may be lost, the next one must come within one life. */
const indexTtl = (expiry: Expiry, now: number): string => Records.ttl(2 * (expiry.expiresAt - now))

const idOf = (entry: Entry): string => entry.id

const isUnderWay = (entry: Entry, now: number, millis = graceMillis): boolean =>
  Math.abs(now - entry.claimedAt) < millis

/** Without the data, of which a page of sessions needs nothing. */
const behind = (
  commands: Commands,
  operation: "insert" | "list",
  prefix: string,
  subject: string,
  entry: Entry,
  now: number
): Answer<Found> =>
  commands.run<Found>(operation, "HMGET", [prefix + entry.id, "s", "o", "a"], (reply) => {
    const [text, owner, about] = reply as ReadonlyArray<string | null> // HMGET answers one bulk string or nil a field
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
 * Those entries that have no session of the subject behind them. One of a newer format is a session to somebody.
 *
 * With `gives` their places are given away: an expired session is removed first, unless somebody whose clock is behind has
 * refreshed it meanwhile, and an insert that was never settled can no longer arrive.
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
        if (isUnderWay(entry, now, gives ? patienceMillis : graceMillis)) return false
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
        const answer = isDead(entry, found)
        return Effect.map(typeof answer === "boolean" ? Effect.succeed(answer) : answer, (isDead) => {
          if (isDead) dead.push(entry.id)
        })
      })),
    dead
  )
}

const forget = (commands: Commands, key: string, ids: ReadonlyArray<string>): Answer<void> =>
  commands.run("remove", "HDEL", [key, ...ids], () => undefined)

/** All on one connection, which pipelines them; the bound keeps a subject with very many sessions from flooding it. */
const forEach = <A>(entries: ReadonlyArray<Entry>, f: (entry: Entry) => Answer<A>): Answer<void> =>
  Effect.forEach(entries, f, { concurrency: 100, discard: true })

/** `<createdAt> <claimedAt>`; NaN, which is within no grace, for `-` and for what cannot be read. */
const readIndex = (reply: unknown): ReadonlyArray<Entry> => {
  const list = Records.flat(reply)
  const entries: Array<Entry> = []
  for (let i = 0; i < list.length; i += 2) {
    entries.push({ id: list[i].toString(), claimedAt: Number(list[i + 1].toString().split(" ")[1]) })
  }
  return entries
}

/** The answer's letter; id, claimedAt, … */
const readClaim = (reply: unknown): { readonly answer: string; readonly entries: ReadonlyArray<Entry> } => {
  const [answer, ...list] = reply as ReadonlyArray<string> // the script answers a list of texts
  const entries: Array<Entry> = []
  for (let i = 0; i < list.length; i += 2) entries.push({ id: list[i], claimedAt: Number(list[i + 1]) })
  return { answer, entries }
}
