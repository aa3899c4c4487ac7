/**
 * What a test of a backend is, and what such tests share.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import type { NewSession, SessionBackendService, StoredSession } from "../../SessionBackend.js"
import { freshId } from "./records.js"

export interface BackendTest {
  readonly title: string
  readonly run: (backend: SessionBackendService, options: BackendOptions) => Effect.Effect<void, unknown>
}

/**
 * - `expiresNatively`: the database removes expired records by itself, and `removeExpired` answers 0.
 */
export interface BackendOptions {
  readonly expiresNatively: boolean
}

export const test = (title: string, run: BackendTest["run"]): BackendTest => ({ title, run })

/** The record, or undefined; a corrupt one fails the test. */
export const read = (backend: SessionBackendService, id: string, now: number) =>
  Effect.map(backend.find(id, now), (found): StoredSession | undefined => {
    if (Option.isNone(found)) return undefined
    expect(found.value).not.toHaveProperty("_tag")
    return found.value as StoredSession // a corrupt record has the tag
  })

/** The parts of a record as plain values, whatever else an adapter's object has. */
export const plain = (record: StoredSession | undefined) =>
  record && {
    createdAt: record.createdAt,
    refreshedAt: record.refreshedAt,
    expiresAt: record.expiresAt,
    idleMillis: record.idleMillis,
    persistent: record.persistent,
    own: record.own,
    owner: record.owner && { ...record.owner },
    version: record.version,
    data: sorted(record.data)
  }

export const sorted = (entries: ReadonlyMap<string, string>) =>
  [...entries].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)

export const expected = (record: NewSession, version: number) => plain({ ...record, version })

export const inserted = (backend: SessionBackendService, record: NewSession, now: number) =>
  Effect.map(backend.insert(freshIdOf(record), record, now), (answer) => {
    expect(answer).toBe(true)
    return freshIdOf(record)
  })

const ids = new WeakMap<NewSession, string>()
export const freshIdOf = (record: NewSession): string => {
  let id = ids.get(record)
  if (id === undefined) ids.set(record, id = freshId())
  return id
}

export const text = (value: unknown): string => JSON.stringify(value)

export const together = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.all(effects, { concurrency: "unbounded" })
