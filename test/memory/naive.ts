/**
 * What a backend should answer, written as plainly as possible, and random histories that compare it with a real one.
 */
import type {
  Expiry,
  ListedSession,
  NewSession,
  Owner,
  Patch,
  SessionBackendService,
  StoredSession,
  SubjectBound,
  SubjectIndexService
} from "effect-session/SessionBackend"
import type { SessionStoreError } from "effect-session/SessionError"
import type * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { createHash } from "node:crypto"

export const idOf = (name: string | number): string => createHash("sha256").update(String(name)).digest("base64url")

export interface Bounds {
  readonly maxSessions: number
  readonly maxBytes: number
  readonly sizeOf: (session: NewSession) => number
}

interface Entry {
  readonly session: StoredSession
  readonly returned: boolean
  readonly used: number
}

const bytes = (data: ReadonlyMap<string, string>): number =>
  [...data].reduce((sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text), 0)

const share = (bound: number): number => bound - Math.max(1, Math.floor(bound / 32))

/** Whoever has the lowest rank is evicted first: newcomers, then those who came back, then those who signed in. */
const rank = ({ returned, session }: Entry): number => session.owner !== undefined ? 2 : returned ? 1 : 0

export class Naive {
  private readonly entries = new Map<string, Entry>()
  private clock = 0
  evicted = 0

  constructor(private readonly bounds?: Bounds) {}

  get sessions(): number {
    return this.entries.size
  }

  get bytes(): number {
    return this.total([...this.entries.values()])
  }

  private total(entries: ReadonlyArray<Entry>): number {
    return entries.reduce((sum, { session }) => sum + (this.bounds?.sizeOf(session) ?? 0), 0)
  }

  private live(id: string, now: number): Entry | undefined {
    const entry = this.entries.get(id)
    return entry !== undefined && entry.session.expiresAt > now ? entry : undefined
  }

  private put(id: string, session: StoredSession, returned: boolean): void {
    this.entries.set(id, { session, returned, used: ++this.clock })
    if (this.bounds === undefined) return
    for (;;) {
      const kept = [...this.entries].filter(([, entry]) => rank(entry) > 0)
      const came = kept.filter(([, entry]) => rank(entry) === 1).sort(([, a], [, b]) => a.used - b.used)
      if (
        came.length === 0
        || (kept.length <= share(this.bounds.maxSessions)
          && this.total(kept.map(([, entry]) => entry)) <= share(this.bounds.maxBytes))
      ) return
      const [oldest, entry] = came[0]
      this.entries.set(oldest, { ...entry, returned: false, used: ++this.clock })
    }
  }

  private makeRoom(sessions: number, bytes: number, now: number, keep: string): void {
    const { bounds } = this
    if (bounds === undefined) return
    while (this.sessions + sessions > bounds.maxSessions || this.bytes + bytes > bounds.maxBytes) {
      const others = [...this.entries].filter(([id]) => id !== keep)
      FastCheck.pre(others.length > 0) // one session larger than the bound: no history for these bounds
      const [expired] = others.filter(([, { session }]) => session.expiresAt <= now)
        .sort(([, a], [, b]) => a.session.expiresAt - b.session.expiresAt)
      const [next] = others.sort(([, a], [, b]) => rank(a) - rank(b) || a.used - b.used)
      if (expired === undefined) this.evicted++
      this.entries.delete((expired ?? next)[0])
    }
  }

  find(id: string, now: number): StoredSession | undefined {
    const entry = this.live(id, now)
    if (entry !== undefined) this.put(id, entry.session, true)
    return entry?.session
  }

  insert(id: string, session: NewSession, now: number): boolean {
    if (this.live(id, now)) return false
    this.entries.delete(id)
    this.makeRoom(1, this.bounds?.sizeOf(session) ?? 0, now, id)
    this.put(id, { ...session, version: 1 }, false)
    return true
  }

  update(id: string, patch: Patch, now: number, ifVersion: number | undefined): unknown {
    const entry = this.live(id, now)
    if (entry === undefined) return { _tag: "Missing" }
    if (ifVersion !== undefined && ifVersion !== entry.session.version) return { _tag: "Conflict" }
    const data = new Map(patch.clear ? [] : entry.session.data)
    patch.remove.forEach((key) => data.delete(key))
    patch.set.forEach((text, key) => data.set(key, text))
    const size = bytes(data)
    if (size > patch.maxBytes && size > bytes(entry.session.data)) return { _tag: "TooLarge", size }
    const session = { ...entry.session, ...patch.expiry, data, version: entry.session.version + 1 }
    if (this.bounds !== undefined) {
      const needed = this.bounds.sizeOf(session)
      if (needed > this.bounds.maxBytes) return { _tag: "TooLarge", size }
      this.makeRoom(0, needed - this.bounds.sizeOf(entry.session), now, id)
    }
    this.put(id, session, true)
    return { _tag: "Updated", version: session.version, expiry: timesOf(session) }
  }

  remove(id: string, ifVersion: number | undefined, now: number): string {
    const entry = this.live(id, now)
    if (entry === undefined) return "missing"
    if (ifVersion !== undefined && ifVersion !== entry.session.version) return "conflict"
    this.entries.delete(id)
    return "removed"
  }

  removeExpired(now: number, limit: number): number {
    const expired = [...this.entries].filter(([, { session }]) => session.expiresAt <= now)
      .sort(([, a], [, b]) => a.session.expiresAt - b.session.expiresAt)
      .slice(0, limit)
    expired.forEach(([id]) => this.entries.delete(id))
    return expired.length
  }

  list(subject: string, now: number): ReadonlyArray<{ readonly id: string; readonly session: ListedSession }> {
    return [...this.entries].map(([id, { session: { data: _data, ...session } }]) => ({ id, session }))
      .filter(({ session }) => session.owner?.subject === subject && session.expiresAt > now)
      .sort((a, b) => a.session.createdAt - b.session.createdAt)
  }

  insertOwned(
    id: string,
    session: NewSession & { owner: Owner },
    now: number,
    bound: SubjectBound | undefined
  ): string {
    if (this.live(id, now)) return "Taken"
    const others = this.list(session.owner.subject, now)
    const surplus = bound === undefined ? 0 : others.length + 1 - bound.max
    if (surplus > 0) {
      if (bound?.whenFull === "refuse") return "Full"
      others.slice(0, surplus).forEach(({ id }) => this.entries.delete(id))
    }
    this.insert(id, session, now)
    return "Inserted"
  }
}

const timesOf = ({ createdAt, expiresAt, idleMillis, own, persistent, refreshedAt }: Expiry): Expiry => ({
  createdAt,
  expiresAt,
  idleMillis,
  own,
  persistent,
  refreshedAt
})

// ── histories ──

export type Step =
  | { readonly do: "find"; readonly id: number }
  | { readonly do: "insert"; readonly id: number; readonly life: number; readonly data: ReadonlyMap<string, string> }
  | {
    readonly do: "insertOwned"
    readonly id: number
    readonly life: number
    readonly data: ReadonlyMap<string, string>
    readonly subject: string
    readonly agent: string | undefined
    readonly bound: SubjectBound | undefined
  }
  | {
    readonly do: "update"
    readonly id: number
    readonly clear: boolean
    readonly set: ReadonlyMap<string, string>
    readonly remove: ReadonlyArray<string>
    readonly life: number | undefined
    readonly ifVersion: number | undefined
    readonly maxBytes: number
  }
  | { readonly do: "remove"; readonly id: number; readonly ifVersion: number | undefined }
  | { readonly do: "removeExpired"; readonly limit: number }
  | { readonly do: "list"; readonly subject: string }
  | { readonly do: "pass"; readonly seconds: number }

const keys = ["", "a", "A", "__proto__", "constructor", "é", "e\u0301", "nul\u0000", "\u{1F600}", "quote\"\\", "1:2:"]

const keyOf = FastCheck.constantFrom(...keys)
const json = FastCheck.oneof(
  { weight: 6, arbitrary: FastCheck.json({ maxDepth: 1 }) },
  { weight: 1, arbitrary: FastCheck.integer({ min: 1, max: 40 }).map((n) => JSON.stringify("ü".repeat(n))) },
  { weight: 1, arbitrary: FastCheck.integer({ min: 1, max: 40 }).map((n) => JSON.stringify("漢".repeat(n))) }
)
const data = FastCheck.array(FastCheck.tuple(keyOf, json), { maxLength: 4 }).map((entries) => new Map(entries))
const idNumber = FastCheck.nat(11)
const life = FastCheck.integer({ min: 1, max: 200 })
const maybe = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary, { nil: undefined })
const subject = FastCheck.constantFrom("ada", "Ada", "")
const version = FastCheck.integer({ min: 1, max: 3 })

export const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.record({ do: FastCheck.constant("find" as const), id: idNumber }) },
  { weight: 4, arbitrary: FastCheck.record({ do: FastCheck.constant("insert" as const), id: idNumber, life, data }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("insertOwned" as const),
      id: idNumber,
      life,
      data,
      subject,
      agent: maybe(FastCheck.constantFrom("", "Läufer/1.0 漢")),
      bound: maybe(FastCheck.record({
        max: FastCheck.integer({ min: 1, max: 3 }),
        whenFull: FastCheck.constantFrom("evict-oldest" as const, "refuse" as const)
      }))
    })
  },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("update" as const),
      id: idNumber,
      clear: FastCheck.boolean(),
      set: data,
      remove: FastCheck.array(keyOf, { maxLength: 2 }),
      life: maybe(life),
      ifVersion: maybe(version),
      maxBytes: FastCheck.constantFrom(60, 262_144)
    })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({ do: FastCheck.constant("remove" as const), id: idNumber, ifVersion: maybe(version) })
  },
  {
    weight: 1,
    arbitrary: FastCheck.record({ do: FastCheck.constant("removeExpired" as const), limit: FastCheck.nat(5) })
  },
  { weight: 1, arbitrary: FastCheck.record({ do: FastCheck.constant("list" as const), subject }) },
  {
    weight: 2,
    arbitrary: FastCheck.record({
      do: FastCheck.constant("pass" as const),
      seconds: FastCheck.integer({ min: 1, max: 90 })
    })
  }
)

/** A call of the backend and what it should answer; time passes by itself, so that no two records have equal times. */
export interface Call {
  readonly run: (
    backend: SessionBackendService,
    index: SubjectIndexService
  ) => Effect.Effect<unknown, SessionStoreError>
  readonly expected: unknown
}

/** Translates a history into calls, each with what the naive backend answers at that point. */
export const callsOf = function*(steps: ReadonlyArray<Step>, naive: Naive): Generator<Call> {
  let now = 1_700_000_000_000
  let unique = 0
  const times = (life: number, createdAt = now): Expiry => ({
    createdAt,
    refreshedAt: now,
    expiresAt: now + life * 1000 + ++unique % 1000,
    idleMillis: life * 1000,
    persistent: life % 2 === 0,
    own: life % 3 === 0
  })
  for (const step of steps) {
    const at = now += 1
    switch (step.do) {
      case "pass":
        now += step.seconds * 1000
        break
      case "find": {
        const id = idOf(step.id)
        yield { run: (backend) => backend.find(id, at), expected: naive.find(id, at) }
        break
      }
      case "insert": {
        const id = idOf(step.id)
        const session: NewSession = { ...times(step.life), data: step.data, owner: undefined }
        yield { run: (backend) => backend.insert(id, session, at), expected: naive.insert(id, session, at) }
        break
      }
      case "insertOwned": {
        const id = idOf(step.id)
        const owner: Owner = {
          subject: step.subject,
          authenticatedAt: at,
          userAgent: step.agent,
          address: step.agent === undefined ? "::1" : undefined
        }
        const session = { ...times(step.life), data: step.data, owner }
        const { bound } = step
        yield {
          run: (_, index) => index.insert(id, session, at, bound),
          expected: naive.insertOwned(id, session, at, bound)
        }
        break
      }
      case "update": {
        const id = idOf(step.id)
        const patch: Patch = {
          clear: step.clear,
          set: step.set,
          remove: new Set(step.remove.filter((key) => !step.set.has(key))),
          expiry: step.life === undefined ? undefined : times(step.life),
          maxBytes: step.maxBytes
        }
        yield {
          run: (backend) => backend.update(id, patch, at, step.ifVersion),
          expected: naive.update(id, patch, at, step.ifVersion)
        }
        break
      }
      case "remove": {
        const id = idOf(step.id)
        yield {
          run: (backend) => backend.remove(id, step.ifVersion, at),
          expected: naive.remove(id, step.ifVersion, at)
        }
        break
      }
      case "removeExpired":
        yield {
          run: (backend) => backend.removeExpired(at, step.limit),
          expected: naive.removeExpired(at, step.limit)
        }
        break
      case "list":
        yield { run: (_, index) => index.list(step.subject, at), expected: naive.list(step.subject, at) }
    }
  }
}
