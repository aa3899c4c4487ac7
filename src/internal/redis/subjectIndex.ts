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
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Corrupt, Expiry, StoredSession, SubjectIndexService } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"
import type { Commands } from "./commands.js"
import * as Records from "./record.js"
import * as Scripts from "./scripts.js"

/** An entry that was never settled is an insert under way for so long, and dead afterwards if it has no record. */
const graceMillis = 60_000

/** Time-outs are seconds: no insert arrives later than this. */
const tombstoneMillis = "600000"

interface Entry {
  readonly id: string
  /** NaN when the insert is over */
  readonly claimedAt: number
}

type Answer<A> = Effect.Effect<A, SessionStoreError>

export const make = (commands: Commands, prefix: string): SubjectIndexService => ({
  insert: (id, session, now, bound) =>
    Effect.gen(function*() {
      const subject = Records.subjectText(session.owner.subject)
      const key = indexKey(prefix, subject)
      const claim = (verified: boolean, dead: ReadonlyArray<string>) =>
        commands.script("insert", Scripts.claim, key, [
          String(now),
          id,
          String(session.createdAt),
          indexTtl(session, now),
          bound === undefined ? "-" : String(bound.max),
          bound?.whenFull === "evict-oldest" ? "evict" : "refuse",
          verified ? "1" : "0",
          ...dead
        ], readClaim)
      const first = yield* claim(false, [])
      const { answer, entries } = first.answer === "V"
        ? yield* claim(true, yield* findDead(commands, prefix, subject, first.entries, now))
        : first
      if (answer === "F") return "Full"
      const condemned = answer === "C" ? entries : []
      yield* forEach(condemned, (entry) =>
        commands.script("insert", Scripts.evict, prefix + entry.id, [
          subject,
          isUnderWay(entry, now) ? tombstoneMillis : "-"
        ], String))
      const reply = yield* commands.script(
        "insert",
        Scripts.insert,
        prefix + id,
        Records.insertArguments(session, now),
        String
      )
      // What is lost from here on heals: the record is there, and in the index.
      yield* Effect.ignore(Effect.gen(function*() {
        const dead = answer === "S" ? yield* findDead(commands, prefix, subject, entries, now) : condemned.map(idOf)
        yield* commands.script("insert", Scripts.settle, key, [id, ...dead], String)
      }))
      // Evicted between the claim and the insert: another sign-in came after this one, as if this one had been quicker.
      return reply === "T" ? "Taken" : "Inserted"
    }),

  list: (subjectName, now) =>
    Effect.gen(function*() {
      const subject = Records.subjectText(subjectName)
      const key = indexKey(prefix, subject)
      const entries = yield* commands.readHash("list", key, readIndex)
      const dead: Array<string> = []
      const sessions: Array<{ readonly id: string; readonly session: StoredSession }> = []
      yield* forEach(entries, (entry) =>
        Effect.map(
          commands.readHash<StoredSession | Corrupt | undefined>(
            "list",
            prefix + entry.id,
            (reply) => Records.read(reply, now),
            whenNoHash
          ),
          (record) => {
            if (record !== undefined && "_tag" in record) return
            if (record === undefined ? !isUnderWay(entry, now) : record.owner?.subject !== subjectName) {
              dead.push(entry.id)
            } else if (record !== undefined) sessions.push({ id: entry.id, session: record })
          }
        ))
      if (dead.length > 0) yield* Effect.ignore(forget(commands, key, dead))
      return sessions.sort((x, y) => x.session.createdAt - y.session.createdAt || (x.id < y.id ? -1 : 1))
    }),

  forget: (subject, id) => forget(commands, indexKey(prefix, Records.subjectText(subject)), [id])
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

const isUnderWay = (entry: Entry, now: number): boolean => Math.abs(now - entry.claimedAt) < graceMillis

/** Those entries that have no session of the subject behind them. One of a newer format is a session to somebody. */
const findDead = (
  commands: Commands,
  prefix: string,
  subject: string,
  entries: ReadonlyArray<Entry>,
  now: number
): Answer<ReadonlyArray<string>> => {
  const dead: Array<string> = []
  return Effect.as(
    forEach(entries, (entry) =>
      Effect.map(
        commands.run("insert", "HMGET", [prefix + entry.id, "s", "o"], (reply) => {
          const [state, owner] = reply as ReadonlyArray<string | null> // HMGET answers one bulk string or nil a field
          if (state === null) return isUnderWay(entry, now)
          const read = Records.readState(state, now)
          return read._tag === "Live" ? owner === subject : read._tag === "Corrupt" && read.newerFormat
        }, (message) => message.startsWith("WRONGTYPE") ? false : undefined),
        (alive) => {
          if (!alive) dead.push(entry.id)
        }
      )),
    dead
  )
}

const forget = (commands: Commands, key: string, ids: ReadonlyArray<string>): Answer<void> =>
  commands.run("remove", "HDEL", [key, ...ids], () => undefined)

/** All on one connection, which pipelines them; the bound keeps a subject with very many sessions from flooding it. */
const forEach = <A>(entries: ReadonlyArray<Entry>, f: (entry: Entry) => Answer<A>): Answer<void> =>
  Effect.forEach(entries, f, { concurrency: 100, discard: true })

const whenNoHash = (message: string): Corrupt | undefined =>
  message.startsWith("WRONGTYPE")
    ? { _tag: "Corrupt", newerFormat: false, detail: "the key does not hold a hash" }
    : undefined

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
