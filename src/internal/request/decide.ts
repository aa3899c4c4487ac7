/**
 * What a commit asks of the store, decided with plain values: nothing, a refresh, or a save. Carried out elsewhere, once.
 */
import type { Expiry, Owner, Patch, StoredSession } from "../../SessionBackend.js"
import type { Base, Found, Save } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { type Changes, emptyContent, isEmptyContent, type PatchContent } from "./changes.js"
import * as EndsWithId from "./endsWithId.js"

/** The session that a request has before it: none, one that it knows only by its token, or one that it loaded. */
export type Basis =
  | { readonly _tag: "None" }
  | { readonly _tag: "Token"; readonly token: string }
  | Found

/** What the request asked for beside the changes of its data. */
export interface Marks {
  readonly renew: boolean
  readonly own: ExpiryPolicy.OwnExpiry | undefined
  /** signed in by this commit: the absolute time starts anew */
  readonly owner: Owner | undefined
  /** a cookie can go out, so that the id may be renewed by `renewEvery` */
  readonly takesCookie: boolean
  /** the request is no activity: it extends nothing, and renews nothing by itself */
  readonly passive: boolean
}

/**
 * - `Save`: `mere` says that it only refreshes or re-seals: its failure is not a failed commit. `without` is the save to
 *   try when another request was faster (`Conflict`): the same without a refresh, without migrated values, and without a renewal
 *   by `renewEvery`.
 */
export type Decision =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Save"; readonly save: Save; readonly mere: boolean; readonly without: Save | undefined }

const nothing: Decision = { _tag: "Nothing" }

export const decide = (
  config: SessionConfig,
  basis: Basis,
  changes: Changes,
  marks: Marks,
  now: number
): Decision => {
  const maxBytes = config.maxSessionBytes
  const { passive } = marks
  const patch = ({ clear, remove, set }: PatchContent, expiry: Expiry | undefined): Patch => ({
    clear,
    set,
    remove,
    expiry,
    maxBytes
  })
  switch (basis._tag) {
    case "None": {
      const { set } = changes.against(undefined)
      if (set.size === 0 && marks.owner === undefined) return nothing
      const content = { ...emptyContent, set }
      const { set: kept } = marks.owner === undefined ? content : EndsWithId.end(content, true)
      return saving({
        base: undefined,
        patch: patch({ ...emptyContent, set: kept }, ExpiryPolicy.fresh(config, now, marks.own)),
        renew: false,
        ifVersion: undefined,
        owner: marks.owner
      })
    }
    case "Token": {
      const content = changes.against(undefined)
      if (isEmptyContent(content)) return nothing
      return saving({
        base: { token: basis.token, session: undefined },
        patch: patch(content, undefined),
        renew: false,
        passive,
        ifVersion: undefined,
        owner: undefined
      })
    }
    case "Found": {
      const { id, session, token } = basis
      const renew = marks.renew || marks.owner !== undefined
      const asked = isHandedOver(session, marks)
        ? { ...emptyContent, clear: true, set: changes.against(undefined).set }
        : changes.against(session.data)
      const content = renew ? EndsWithId.end(asked, marks.owner !== undefined) : asked
      const changed = !isEmptyContent(content) || renew || marks.own !== undefined
      const base = { token, id, session }
      if (!renew && marks.takesCookie && !passive && ExpiryPolicy.isRenewalDue(config, session, now)) {
        const expiry = times(config, session, { ...marks, renew: true }, now)
        const kept = patch(content, marks.own === undefined ? undefined : expiry)
        return {
          _tag: "Save",
          save: { ...saved(base, patch(content, expiry)), renew: true, automatic: true },
          mere: !changed,
          without: changed ? saved(base, kept) : undefined
        }
      }
      const expiry = times(config, session, marks, now)
      const plain: Save = {
        base,
        patch: patch(content, expiry),
        renew,
        passive,
        ifVersion: undefined,
        owner: marks.owner
      }
      const migrations = renew ? emptyContent.set : changes.migrationsOf(session.data)
      // A refresh and migrated values follow from what was loaded, and give way to whoever has changed it since.
      const refreshes = expiry !== undefined && !renew && marks.own === undefined
      if (!refreshes && migrations.size === 0) {
        return changed ? saving(plain) : basis.reseal ? { ...saving(plain), mere: true } : nothing
      }
      const set = migrations.size === 0 ? content.set : new Map([...content.set, ...migrations])
      return {
        _tag: "Save",
        save: { ...plain, patch: patch({ ...content, set }, expiry), ifVersion: session.version },
        mere: !changed,
        without: changed ? { ...plain, patch: patch(content, refreshes ? undefined : expiry) } : undefined
      }
    }
  }
}

const saved = (base: Base, patch: Patch): Save => ({
  base,
  patch,
  renew: false,
  ifVersion: undefined,
  owner: undefined
})

/** Signed in as somebody else: nothing of the first subject's session is for the second. */
const isHandedOver = (session: StoredSession, { owner }: Marks): boolean =>
  owner !== undefined && session.owner !== undefined && session.owner.subject !== owner.subject

const saving = (save: Save): Extract<Decision, { _tag: "Save" }> => ({
  _tag: "Save",
  save,
  mere: false,
  without: undefined
})

/** The new times of a session that was touched: undefined where they stand. */
const times = (config: SessionConfig, session: StoredSession, marks: Marks, now: number): Expiry | undefined => {
  if (isHandedOver(session, marks)) return ExpiryPolicy.fresh(config, now, marks.own)
  const started: Expiry = marks.owner === undefined ? session : { ...session, createdAt: now }
  if (marks.own !== undefined) return ExpiryPolicy.withOwn(config, started, now, marks.own)
  if (marks.passive && marks.owner === undefined) return undefined
  if (marks.renew || marks.owner !== undefined) return ExpiryPolicy.touch(config, started, now)
  return ExpiryPolicy.refresh(config, session, now)
}
