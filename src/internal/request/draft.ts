/**
 * What a request has asked for and not yet saved, over what is stored: read through it, its size watched, taken by a save
 * and given back where the save fails. Plain data, no effects.
 */
import type { Data, StoredSession } from "../../SessionBackend.js"
import type { SessionTooLarge } from "../../SessionError.js"
import { applyPatch } from "../codec/packedData.js"
import type { SessionStoreService } from "../store/contract.js"
import type { OwnExpiry } from "../store/expiry.js"
import { Changes, type Pending } from "./changes.js"
import * as EndsWithId from "./endsWithId.js"

/** What a save has taken. */
export interface Taken {
  readonly changes: Changes
  readonly renewing: boolean
  readonly own: OwnExpiry | undefined
}

type Scale = Pick<SessionStoreService, "kind" | "weigh" | "tooLarge">

export class Draft {
  changes = new Changes()
  renewing = false
  own: OwnExpiry | undefined
  /** changes that a save under way has taken; reads see through them */
  private saving: Changes | undefined
  /** how many bytes the session would hold; computed on the first insert, for what was stored then */
  private weight: number | undefined
  private weighed: Data | undefined

  /** `base` is what is stored: its owner counts where the store keeps it beside the data. */
  constructor(private readonly scale: Scale, private readonly base: { readonly session: StoredSession | undefined }) {}

  /** There is something to save. */
  get hasAny(): boolean {
    return this.renewing || this.own !== undefined || !this.changes.isEmpty
  }

  get isBeingSaved(): boolean {
    return this.saving !== undefined
  }

  lookup(name: string): Pending {
    const later = this.changes.lookup(name)
    return later === undefined && this.saving !== undefined ? this.saving.lookup(name) : later
  }

  /** The text under a key as the request sees it; undefined when there is none. */
  visible(name: string, stored: Data | undefined): string | undefined {
    const pending = this.lookup(name)
    return pending === undefined ? stored?.get(name) : pending ?? undefined
  }

  /** What was set and not removed again. */
  get texts(): ReadonlyMap<string, string> {
    if (this.saving === undefined) return this.changes.against(undefined).set
    const all = new Changes()
    all.absorb(this.saving)
    all.absorb(this.changes)
    return all.against(undefined).set
  }

  // ── changing ──

  /** Sets a text, unless the session would be too large. What is stored already is no change. */
  set(name: string, text: string, stored: Data | undefined): SessionTooLarge | undefined {
    const before = this.weightOver(stored)
    const error = this.tooLarge(this.reweigh(name, text, stored), before)
    if (error !== undefined) {
      this.weight = before
      return error
    }
    this.put(name, text, stored)
    return undefined
  }

  private put(name: string, text: string, stored: Data | undefined): void {
    const isStored = this.saving === undefined && !this.changes.isCleared && stored?.get(name) === text
    if (isStored) this.changes.keep(name)
    else this.changes.set(name, text)
  }

  /** Sets and removes (undefined) texts, all of them or none: only what they come to together may be too large. */
  patch(texts: ReadonlyMap<string, string | undefined>, stored: Data | undefined): SessionTooLarge | undefined {
    const before = this.weightOver(stored)
    let weight = before
    for (const [name, text] of texts) weight = this.reweigh(name, text, stored)
    const error = this.tooLarge(weight, before)
    if (error !== undefined) {
      this.weight = before
      return error
    }
    for (const [name, text] of texts) {
      if (text === undefined) this.changes.remove(name)
      else this.put(name, text, stored)
    }
    return undefined
  }

  remove(name: string, stored: Data | undefined): void {
    if (this.weight !== undefined) this.reweigh(name, undefined, stored)
    this.changes.remove(name)
  }

  /** Marks the session for a new id. What is set from here on belongs to the new one. */
  renew(stored: Data | undefined): void {
    this.renewing = true
    for (const name of EndsWithId.names) this.remove(name, stored)
  }

  clear(): void {
    this.changes.clear()
    this.weight = undefined
  }

  /** The changes are not wanted any more. */
  discard(): void {
    this.changes = new Changes()
    this.weight = undefined
  }

  /** Nothing of it is. */
  drop(): void {
    this.discard()
    this.renewing = false
    this.own = undefined
  }

  // ── size ──

  private weightOver(stored: Data | undefined): number {
    if (this.weight === undefined || this.weighed !== stored) this.weight = this.weigh(stored)
    this.weighed = stored
    return this.weight
  }

  /** Keeps the running weight as if the key had the text (undefined: as if it were gone), and returns it. */
  private reweigh(name: string, text: string | undefined, stored: Data | undefined): number {
    let weight = this.weightOver(stored)
    const current = this.visible(name, stored)
    if (current !== undefined) weight -= this.scale.weigh(name, current)
    if (text !== undefined) weight += this.scale.weigh(name, text)
    return this.weight = weight
  }

  private weigh(stored: Data | undefined): number {
    let weight = 0
    if (stored !== undefined) {
      for (const [name, text] of stored) if (this.lookup(name) === undefined) weight += this.scale.weigh(name, text)
    }
    for (const [name, text] of this.texts) weight += this.scale.weigh(name, text)
    return weight
  }

  /**
   * The store checks what a modification makes of the record; what this request has yet to save comes on top, and would
   * fail at the commit.
   */
  tooLargeWith(stored: Data, name: string, text: string): SessionTooLarge | undefined {
    if (this.changes.isEmpty && this.saving === undefined) return undefined
    return this.tooLarge(this.weigh(new Map([...stored, [name, text]])), this.weigh(stored))
  }

  /**
   * A server store takes every step that does not make the session larger: one that is over the limit already (it was
   * lowered since) lives on. A cookie that is too large cannot be sent at all.
   */
  private tooLarge(weight: number, before: number): SessionTooLarge | undefined {
    return this.scale.kind === "server" && weight <= before ? undefined : this.refusal(weight)
  }

  /** In the current version a value may be larger than in the one that it was read in: then it stays as it is. */
  private fitMigrations(stored: Data): void {
    const { changes } = this
    if (!changes.hasMigrations) return
    const migrated = applyPatch(stored, { clear: false, set: changes.migrationsOf(stored), remove: new Set() })
    let weight = 0
    for (const [name, text] of applyPatch(migrated, changes.against(stored))) weight += this.scale.weigh(name, text)
    if (this.refusal(weight) !== undefined) changes.keepOldVersions()
  }

  private refusal(weight: number): SessionTooLarge | undefined {
    return this.scale.tooLarge(weight, this.base.session?.owner)
  }

  // ── saving ──

  /** What there is to save, on what is stored. */
  peek(stored: Data | undefined): Taken {
    if (stored !== undefined) this.fitMigrations(stored)
    return { changes: this.changes, renewing: this.renewing, own: this.own }
  }

  /** It is being saved from here on. */
  take({ changes }: Taken): void {
    this.saving = changes
    this.changes = new Changes()
    this.renewing = false
    this.own = undefined
  }

  saved(): void {
    this.saving = undefined
  }

  /** It was not saved, and is pending again, under what came since. */
  undo({ changes, own, renewing }: Taken): void {
    this.saving = undefined
    changes.absorb(this.changes)
    this.changes = changes
    this.renewing ||= renewing
    this.own ??= own
  }
}
