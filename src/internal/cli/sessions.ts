/**
 * `sessions`: counts, lists and revokes the sessions of a server store, and removes expired ones.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resolveOptions } from "../config/resolveOptions.js"
import * as SubjectSessions from "../server/subjectSessions.js"
import { counted, type ExitCode, failed, type Io, misused, printable, Stop } from "./command.js"
import * as Db from "./database.js"
import type { Database } from "./opened.js"

export const options = {
  "url-from": { type: "string" },
  prefix: { type: "string" },
  table: { type: "string" },
  subject: { type: "string" },
  id: { type: "string" },
  all: { type: "boolean" },
  json: { type: "boolean" }
} as const

export const usage = `effect-session sessions count
effect-session sessions list   --subject SUBJECT [--json]
effect-session sessions revoke --subject SUBJECT (--id ID | --all)
effect-session sessions purge

Works on the sessions of a server store in Redis or SQL. The URL of the database comes
from the environment, because it may hold a password: SESSION_STORE_URL, with redis:,
rediss:, postgres:, postgresql:, mysql:, mariadb: or sqlite: at its beginning.

  count             how many sessions live, and how many of them are signed in
  list              the sessions of a subject, the oldest first
  revoke            ends one session of a subject, or all of them
  purge             removes expired sessions now (SQL; Redis does it by itself)

  --url-from NAME   the variable that holds the URL
  --prefix PREFIX   what the keys in Redis begin with (session:)
  --table TABLE     the table in SQL (effect_sessions)`

interface Given extends Db.Given {
  readonly subject?: string | undefined
  readonly id?: string | undefined
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
}

const actions = ["count", "list", "revoke", "purge"] as const

type Action = (typeof actions)[number]

const batch = 500

/** What is stored decides: the app's own absolute expiry is not known here. */
const { config } = resolveOptions({ absoluteExpiry: Duration.infinity })

const ofSubject: Readonly<Record<Action, boolean>> = { count: false, list: true, revoke: true, purge: false }

export const run = async (io: Io, given: Given, words: ReadonlyArray<string>): Promise<ExitCode> => {
  const action = actions.find((each) => words.length === 1 && each === words[0])
  if (action === undefined) throw misused("say what to do: sessions count, list, revoke or purge")
  const { all = false, id, json = false, subject } = given
  if (ofSubject[action] !== (subject !== undefined)) {
    throw misused(`sessions ${action} ${ofSubject[action] ? "needs" : "takes no"} --subject`)
  }
  if ((action === "revoke") !== (all !== (id !== undefined)) || (action !== "revoke" && all)) {
    throw misused(action === "revoke" ? "give one of --id and --all" : "--id and --all are for sessions revoke")
  }
  if (json && action !== "list") throw misused("--json is for sessions list")
  const opened = await Db.open(io, given)
  const done = Effect.scoped(
    Effect.flatMap(opened, (database) => act(io, database, action, { all, id, json, subject: subject ?? "" }))
  )
  const outcome = await Effect.runPromise(Effect.match(done, {
    onSuccess: (code) => code,
    onFailure: (error) => error instanceof Stop ? error : failed(Db.reason(error))
  })).catch(() => failed(Db.reason(undefined))) // a client that throws: a file that cannot be opened, for one
  if (outcome instanceof Stop) throw outcome
  return outcome
}

const act = (
  io: Io,
  { backend, count, index, removesExpired }: Database,
  action: Action,
  { all, id, json, subject }: {
    readonly all: boolean
    readonly id: string | undefined
    readonly json: boolean
    readonly subject: string
  }
): Effect.Effect<ExitCode, unknown> => {
  const sessions = SubjectSessions.make(config, backend, index)
  switch (action) {
    case "count":
      return Effect.map(count(Date.now()), ({ all, signedIn }) => {
        io.out(`${counted(all, "session")}, ${signedIn} of them signed in`)
        return 0
      })
    case "list":
      return Effect.map(sessions.list(subject), (infos) => {
        const shown = infos.map((info) => ({
          id: info.id,
          signedIn: DateTime.formatIso(info.authenticatedAt),
          lastSeen: DateTime.formatIso(info.lastSeenAt),
          expires: DateTime.formatIso(info.expiresAt),
          userAgent: Option.getOrNull(info.userAgent),
          address: Option.getOrNull(info.address)
        }))
        if (json) io.out(printable(JSON.stringify(shown)))
        else if (shown.length === 0) io.out("no sessions")
        for (const { address, expires, id, lastSeen, signedIn, userAgent } of json ? [] : shown) {
          io.out(`${id}  signed in ${signedIn}, last seen ${lastSeen}, expires ${expires}`)
          if (userAgent !== null || address !== null) {
            io.out(printable(`  ${[address, userAgent].filter(Boolean).join("  ")}`))
          }
        }
        return 0
      })
    case "revoke":
      if (all) {
        return Effect.map(sessions.revokeAll(subject), (ended) => {
          io.out(`revoked ${counted(ended ?? 0, "session")}`)
          return 0
        })
      }
      return Effect.map(sessions.revoke(subject, id ?? ""), (ended) => {
        if (ended) io.out("revoked 1 session")
        else io.err("the subject has no session of this id")
        return ended ? 0 : 1
      })
    case "purge": {
      if (!removesExpired) {
        io.out("Redis removes expired sessions by itself: there is nothing to do")
        return Effect.succeed(0)
      }
      const purge = (removed: number): Effect.Effect<number, unknown> =>
        Effect.flatMap(
          backend.removeExpired(Date.now(), batch),
          (more) => more === 0 ? Effect.succeed(removed) : purge(removed + more)
        )
      return Effect.map(purge(0), (removed) => {
        io.out(`removed ${counted(removed, "expired session")}`)
        return 0
      })
    }
  }
}
