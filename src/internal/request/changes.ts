/**
 * What a request has changed and not yet saved: plain data, no effects.
 */
import type { Data } from "../../SessionBackend.js"

/** A pending text; `null` means that the key is removed; undefined, that it is as the stored session has it. */
export type Pending = string | null | undefined

interface Migration {
  readonly from: string
  readonly to: string
}

const none: ReadonlyMap<string, never> = new Map<string, never>()

export class Changes {
  private cleared = false
  // Both made when they are needed: every request has changes, and most of them none.
  private entries: ReadonlyMap<string, string | null> = none
  /** values read in an older version, in the current one: worth writing, and no reason to overwrite anything */
  private migrated: ReadonlyMap<string, Migration> = none

  lookup(key: string): Pending {
    const entry = this.entries.get(key)
    return entry === undefined && this.cleared ? null : entry
  }

  set(key: string, text: string): void {
    this.put(key, text)
  }

  /** What the stored session has is what shall be: nothing to change. */
  keep(key: string): void {
    if (this.entries.has(key)) (this.entries as Map<string, string | null>).delete(key)
  }

  remove(key: string): void {
    if (this.cleared) this.keep(key)
    else this.put(key, null)
  }

  clear(): void {
    this.cleared = true
    this.entries = none
    this.migrated = none
  }

  migrate(key: string, from: string, to: string): void {
    this.migrated = new Map(this.migrated).set(key, { from, to })
  }

  /** Nothing of what was read in an older version is to be written. */
  keepOldVersions(): void {
    this.migrated = none
  }

  /** A map that is not the shared empty one is this object's own. */
  private put(key: string, entry: string | null): void {
    if (this.entries === none) this.entries = new Map([[key, entry]])
    else (this.entries as Map<string, string | null>).set(key, entry)
  }

  get isEmpty(): boolean {
    return !this.cleared && this.entries.size === 0
  }

  get hasMigrations(): boolean {
    return this.migrated.size > 0
  }

  get isCleared(): boolean {
    return this.cleared
  }

  /** Adds what came later; the later wins. */
  absorb(later: Changes): void {
    if (later.cleared) this.clear()
    for (const [key, text] of later.entries) {
      if (text === null) this.remove(key)
      else this.set(key, text)
    }
    for (const [key, { from, to }] of later.migrated) this.migrate(key, from, to)
  }

  /**
   * The changes against a base; undefined base: one that was never loaded. What the base already has is no change
   * (row M2).
   */
  against(base: Data | undefined): PatchContent {
    if (this.entries === none && !this.cleared) return emptyContent
    let set: Map<string, string> | undefined
    let remove: Set<string> | undefined
    for (const [key, text] of this.entries) {
      if (text === null) {
        if (base === undefined || base.has(key)) (remove ??= new Set()).add(key)
      } else if (this.cleared || base?.get(key) !== text) (set ??= new Map()).set(key, text)
    }
    return this.content(base, set ?? emptyContent.set, remove ?? emptyContent.remove)
  }

  private content(base: Data | undefined, set: Data, remove: ReadonlySet<string>): PatchContent {
    const clear = this.cleared && (base === undefined || base.size > 0)
    if (clear && base !== undefined && sameData(base, set)) return emptyContent
    return { clear, set, remove }
  }

  /** Migrated values that nothing else has changed since they were read. */
  migrationsOf(base: Data): Data {
    if (this.migrated === none) return emptyContent.set
    const set = new Map<string, string>()
    if (this.cleared) return set
    for (const [key, { from, to }] of this.migrated) {
      if (!this.entries.has(key) && base.get(key) === from) set.set(key, to)
    }
    return set
  }
}

export interface PatchContent {
  readonly clear: boolean
  readonly set: Data
  readonly remove: ReadonlySet<string>
}

export const emptyContent: PatchContent = { clear: false, set: new Map(), remove: new Set() }

export const isEmptyContent = (content: PatchContent): boolean =>
  !content.clear && content.set.size === 0 && content.remove.size === 0

/** Cleared and filled again with the same. */
const sameData = (a: Data, b: Data): boolean => {
  if (a.size !== b.size) return false
  for (const [key, text] of a) if (b.get(key) !== text) return false
  return true
}
