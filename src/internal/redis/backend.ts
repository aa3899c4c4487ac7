/**
 * `SessionBackend` on Redis: one command for each function. Only an update that moves the times of a session with an owner
 * is followed by a second one, which keeps the index of the owner's sessions alive as long.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type {
  Corrupt,
  Expiry,
  Patch,
  Renewed,
  SessionBackendService,
  StoredSession,
  Updated
} from "../../SessionBackend.js"
import type { Commands } from "./commands.js"
import * as Records from "./record.js"
import * as Scripts from "./scripts.js"
import * as SubjectIndex from "./subjectIndex.js"

export const make = (commands: Commands, prefix: string): SessionBackendService => ({
  find: (id, now) => commands.readHash("find", prefix + id, (reply) => found(Records.read(reply, now)), whenNoHash),

  insert: (id, session, now) =>
    commands.script(
      "insert",
      Scripts.insert,
      prefix + id,
      Records.insertArguments(session, now),
      (reply) => reply === "I"
    ),

  update: (id, patch, now, ifVersion) => {
    const { expiry } = patch
    const args = updateArguments(patch, now, ifVersion)
    if (expiry === undefined) return commands.script("update", Scripts.update, prefix + id, args, readUpdated)
    return Effect.flatMap(
      commands.script("update", Scripts.update, prefix + id, args, (reply) => readMoved(reply, expiry)),
      ([updated, subject]) =>
        subject === undefined
          ? Effect.succeed(updated)
          : Effect.as(SubjectIndex.keep(commands, prefix, subject, id, expiry, now), updated)
    )
  },

  remove: (id, ifVersion, now, successor) =>
    commands.script(
      "remove",
      Scripts.remove,
      prefix + id,
      [`${now} ${ifVersion ?? "-"}`, ...(successor === undefined ? [] : Records.markArguments(successor, now))],
      readRemoved
    ),

  removeExpired: () => Effect.succeed(0)
})

type Found = Option.Option<StoredSession | Corrupt | Renewed>

const found = (record: StoredSession | Corrupt | Renewed | undefined): Found =>
  record === undefined ? Option.none() : Option.some(record)

/** Somebody else's value under our key. */
const whenNoHash = (message: string): Found | undefined =>
  message.startsWith("WRONGTYPE")
    ? Option.some({ _tag: "Corrupt", newerFormat: false, detail: "the key does not hold a hash" })
    : undefined

const updateArguments = (patch: Patch, now: number, ifVersion: number | undefined): Array<string> => {
  const { expiry } = patch
  const maxBytes = Math.min(patch.maxBytes, Number.MAX_SAFE_INTEGER)
  const moves = expiry === undefined ? "- -" : `${Records.ttl(expiry.expiresAt - now)} ${Records.times(expiry)}`
  const args = [`${now} ${ifVersion ?? "-"} ${maxBytes} ${patch.clear ? 1 : 0} ${moves}`, String(patch.remove.size)]
  for (const key of patch.remove) args.push(Records.dataField(key))
  for (const [key, text] of patch.set) args.push(Records.dataField(key), text)
  return args
}

const missing: Updated = { _tag: "Missing" }
const conflict: Updated = { _tag: "Conflict" }

const notUnderstood = (): never => {
  throw new Error("not a reply of this script")
}

/** `M`, `N …`, `C`, `T <size>`; undefined for an update that was done. */
const readRefused = (reply: unknown): Updated | undefined => {
  if (typeof reply !== "string") return notUnderstood()
  switch (reply.charCodeAt(0)) {
    case 0x4d:
      return missing
    case 0x4e:
      return Records.readRenewed(reply)
    case 0x43:
      return conflict
    case 0x54:
      return { _tag: "TooLarge", size: Number(reply.slice(2)) }
    default:
      return undefined
  }
}

/** `U <version> <times>` */
const readUpdated = (reply: unknown): Updated => {
  const refused = readRefused(reply)
  if (refused !== undefined) return refused
  const { expiry, version } = Records.readVersionAndTimes(reply as string, 2) ?? notUnderstood() // else readRefused had thrown
  return { _tag: "Updated", version, expiry }
}

/** `U <version>`, or `O <version> <subject>` */
const readMoved = (reply: unknown, expiry: Expiry): readonly [Updated, subject: string | undefined] => {
  const refused = readRefused(reply)
  if (refused !== undefined) return [refused, undefined]
  const text = reply as string // or readRefused had thrown
  const end = text.indexOf(" ", 2)
  return end === -1
    ? [{ _tag: "Updated", version: Number(text.slice(2)), expiry }, undefined]
    : [{ _tag: "Updated", version: Number(text.slice(2, end)), expiry }, text.slice(end + 1)]
}

const readRemoved = (reply: unknown): "removed" | "conflict" | "missing" | Renewed =>
  typeof reply === "string" && reply.startsWith("N ")
    ? Records.readRenewed(reply)
    : reply === "R"
    ? "removed"
    : reply === "C"
    ? "conflict"
    : reply === "M"
    ? "missing"
    : notUnderstood()
