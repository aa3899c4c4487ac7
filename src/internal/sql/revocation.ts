/**
 * The store of revocations over one table (see `revocationTable.ts`): a check is one statement, and so is a revocation.
 *
 * Inside a transaction of the app a check reads what is committed, and not what the transaction saw when it began.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { SessionStoreError } from "../../SessionError.js"
import type { Denial, RevocationService } from "../store/revocation.js"
import type { Executor } from "./executor.js"
import type { Row } from "./record.js"
import type { Statements } from "./revocationTable.js"

export const make = (executor: Executor, statements: Statements): RevocationService => {
  const { dialect } = executor
  const isOne = (changed: number) => Exit.succeed(changed === 1)

  const check: RevocationService["check"] = (names, now) =>
    executor.readLatest("check", statements.find(names.length), names, (rows) => {
      const found = new Map<string, Denial>()
      for (const row of rows) {
        const denial = read(row)
        if (denial.expiresAt > now) found.set(String(row.id), denial)
      }
      return Exit.succeed(found)
    })

  /** Whether it is the first. */
  const insert = (name: string, denial: Denial, now: number): Effect.Effect<boolean, SessionStoreError> => {
    const params = paramsOf(denial)
    return dialect === "mysql"
      ? executor.write(
        "deny",
        statements.deny,
        [name, ...params],
        (inserted) =>
          inserted === 1
            ? Exit.succeed(true)
            : executor.write("deny", statements.replaceExpired, [...params, name, Math.floor(now)], isOne)
      )
      : executor.write("deny", statements.deny, [name, ...params, Math.floor(now)], isOne)
  }

  const deny: RevocationService["deny"] = (name, denial, now) =>
    Effect.flatMap(insert(name, denial, now), (isFirst): Effect.Effect<Denial | undefined, SessionStoreError> => {
      if (isFirst) return Effect.succeed(undefined)
      return Effect.flatMap(
        check([name], now),
        // It has expired in between, or was removed.
        (found) => found.has(name) ? Effect.succeed(found.get(name)) : deny(name, denial, now)
      )
    })

  return {
    check,
    deny,
    denyOlder: (name, denial) =>
      executor.write("deny", statements.denyOlder, [name, ...paramsOf(denial)], () => Exit.succeed(undefined)),
    removeExpired: (now, limit) =>
      executor.write(
        "removeExpired",
        statements.removeExpired(Math.floor(limit)),
        [Math.floor(now)],
        (removed) => Exit.succeed(removed)
      )
  }
}

/** Rounded up, so that nothing is denied for a shorter time than it should. */
const paramsOf = ({ at, expiresAt, survivor }: Denial): Array<unknown> => [
  Math.ceil(at),
  survivor ?? null,
  Math.ceil(expiresAt)
]

/** A row that cannot be read is a failure: nobody knows then whether the session is over. */
const read = ({ denied_at, expires_at, survivor }: Row): Denial => {
  const at = Number(denied_at)
  const expiresAt = Number(expires_at)
  if (Number.isNaN(at + expiresAt) || denied_at === null || expires_at === null) throw new Error("not a denial")
  return { at, expiresAt, survivor: typeof survivor === "string" ? survivor : undefined }
}
