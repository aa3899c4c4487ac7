/**
 * The contract of the index of a subject's sessions: what `SubjectIndexService` says, tried on the adapter itself.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { expect } from "vitest"
import type { NewSession, Owner, SessionBackendService, SubjectIndexService } from "../../SessionBackend.js"
import { read } from "./backendTest.js"
import { data, freshId, hour, ownerOf, patch, session } from "./records.js"

export interface IndexTest {
  readonly title: string
  readonly run: (index: SubjectIndexService, backend: SessionBackendService) => Effect.Effect<void, unknown>
}

const test = (title: string, run: IndexTest["run"]): IndexTest => ({ title, run })

/** A subject that nobody has used. */
const freshSubject = (): string => `subject ${freshId()}`

type Owned = NewSession & { readonly owner: Owner }

const owned = (subject: string, now: number, given: Parameters<typeof session>[1] = {}): Owned => {
  const owner = ownerOf(subject, now)
  return { ...session(now, given), owner }
}

const signIn = (
  index: SubjectIndexService,
  subject: string,
  now: number,
  given: Parameters<typeof session>[1] = {}
) => {
  const id = freshId()
  return Effect.map(index.insert(id, owned(subject, now, given), now, undefined), (answer) => {
    expect(answer).toBe("Inserted")
    return id
  })
}

const idsOf = (index: SubjectIndexService, subject: string, now: number) =>
  Effect.map(index.list(subject, now), (entries) => entries.map(({ id }) => id))

export const tests: ReadonlyArray<IndexTest> = [
  test(
    "S8: the index's insert creates the same record as the backend's insert, and lists it",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const id = freshId()
        const record: Owned = {
          ...session(now, { data: data({ cart: ["tea"] }), persistent: false, own: true }),
          owner: { subject, authenticatedAt: now - 5, userAgent: "Mozilla/5.0", address: "192.0.2.1" }
        }
        expect(yield* index.insert(id, record, now, undefined)).toBe("Inserted")
        expect(yield* read(backend, id, now)).toMatchObject({ ...record, version: 1 })
        const [entry, ...others] = yield* index.list(subject, now)
        expect(others).toEqual([])
        expect(entry.id).toBe(id)
        const { data: _data, ...listed } = record // a page of sessions needs none of the data
        expect(entry.session).toMatchObject({ ...listed, version: 1 })
      })
  ),

  test("N2: the index names each session that a bounded sign-in evicts, and none otherwise", (index) =>
    Effect.gen(function*() {
      const now = Date.now()
      const subject = freshSubject()
      const evicted: Array<string> = []
      const insert = (at: number, whenFull: "evict-oldest" | "refuse", max: number) => {
        const id = freshId()
        return Effect.as(
          index.insert(id, owned(subject, at), at, { max, whenFull }, (ended) => evicted.push(ended)),
          id
        )
      }
      const first = yield* insert(now, "evict-oldest", 2)
      const second = yield* insert(now + 1, "evict-oldest", 2)
      yield* insert(now + 2, "refuse", 2)
      expect(evicted).toEqual([])
      const third = yield* insert(now + 3, "evict-oldest", 2)
      expect(evicted).toEqual([first])
      yield* insert(now + 4, "evict-oldest", 1)
      expect([...evicted].sort()).toEqual([first, second, third].sort())
    })),

  test(
    "S8: the index's insert refuses a taken id, whether its record has a subject or not, and changes nothing",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const [subject, other] = [freshSubject(), freshSubject()]
        const mine = yield* signIn(index, subject, now)
        const anonymous = freshId()
        yield* backend.insert(anonymous, session(now), now)
        for (const id of [mine, anonymous]) {
          const before = yield* read(backend, id, now)
          expect(yield* index.insert(id, owned(other, now, { data: data({ user: "eve" }) }), now, undefined)).toBe(
            "Taken"
          )
          expect(yield* read(backend, id, now)).toEqual(before)
        }
        expect(yield* idsOf(index, subject, now)).toEqual([mine])
        expect(yield* index.list(other, now)).toEqual([])
      })
  ),

  test(
    "S8: the index lists a subject's live records as they are now, oldest first",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const third = yield* signIn(index, subject, now, { createdAt: now - 1 })
        const first = yield* signIn(index, subject, now, { createdAt: now - 300 })
        const second = yield* signIn(index, subject, now, { createdAt: now - 20 })
        expect(yield* idsOf(index, subject, now)).toEqual([first, second, third])
        yield* backend.update(second, patch({ set: data({ seen: true }) }), now)
        const entries = yield* index.list(subject, now)
        expect(entries[1].session.version).toBe(2)
        expect(yield* index.list(freshSubject(), now)).toEqual([])
      })
  ),

  test(
    "S8: the index lists no record that was removed, has expired, or belongs to another subject",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const removed = yield* signIn(index, subject, now)
        const expiring = yield* signIn(index, subject, now, { lifeMillis: 1000 })
        const living = yield* signIn(index, subject, now + 1)
        yield* backend.remove(removed, undefined, now) // and nobody told the index
        expect(yield* idsOf(index, subject, now)).toEqual([expiring, living])
        expect(yield* idsOf(index, subject, now + 999)).toEqual([expiring, living])
        expect(yield* idsOf(index, subject, now + 1000)).toEqual([living])
        // by a clock that is behind the expired one lives: it was not forgotten
        expect(yield* idsOf(index, subject, now)).toEqual([expiring, living])
        // an id that is somebody else's by now
        const other = freshSubject()
        expect(yield* index.insert(removed, owned(other, now), now, undefined)).toBe("Inserted")
        expect(yield* backend.insert(expiring, session(now + 1000), now + 1000)).toBe(true)
        expect(yield* idsOf(index, subject, now + 1000)).toEqual([living])
        expect(yield* idsOf(index, other, now + 1000)).toEqual([removed])
      })
  ),

  test(
    "S8: the index lists a record whose expiry was moved for as long as the record lives",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const id = yield* signIn(index, subject, now, { lifeMillis: 1000 })
        const record = session(now, { lifeMillis: 100 * hour })
        yield* backend.update(id, patch({ expiry: record }), now)
        expect(yield* idsOf(index, subject, now + 100 * hour - 1)).toEqual([id])
        expect(yield* idsOf(index, subject, now + 100 * hour)).toEqual([])
      })
  ),

  test("S8: the index compares subjects by code units", (index) =>
    Effect.gen(function*() {
      const now = Date.now()
      const base = freshSubject()
      const subjects = ["", " ", "a", "A", "\u00e9", "e\u0301", "\u0000", "%", "*", "_", ":", "/", "\ud83d\ude00"]
        .map((end) => base + end)
      const expected: Array<string> = []
      for (const subject of subjects) expected.push(yield* signIn(index, subject, now))
      for (const [i, subject] of subjects.entries()) {
        expect([subject, yield* idsOf(index, subject, now)]).toEqual([subject, [expected[i]]])
      }
    })),

  test(
    "S8: it does no harm to forget a record that was removed, is unknown, or was forgotten before",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const [gone, stays] = [yield* signIn(index, subject, now), yield* signIn(index, subject, now)]
        yield* backend.remove(gone, undefined, now)
        yield* index.forget(subject, gone)
        yield* index.forget(subject, gone)
        yield* index.forget(subject, freshId())
        yield* index.forget(freshSubject(), freshId())
        expect(yield* idsOf(index, subject, now)).toEqual([stays])
      })
  ),

  test(
    "S8: a bound that evicts removes a subject's oldest sessions together with their records",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const bystander = yield* signIn(index, freshSubject(), now - 1000)
        const ids: Array<string> = []
        for (let i = 0; i < 5; i++) {
          const id = freshId()
          ids.push(id)
          const answer = yield* index.insert(id, owned(subject, now + i), now + i, { max: 3, whenFull: "evict-oldest" })
          expect(answer).toBe("Inserted")
        }
        expect(yield* idsOf(index, subject, now + 5)).toEqual(ids.slice(2))
        for (const id of ids.slice(0, 2)) expect(yield* backend.find(id, now + 5)).toEqual(Option.none())
        expect(yield* read(backend, bystander, now + 5)).toBeDefined()
        // a bound that was lowered since
        const last = freshId()
        yield* index.insert(last, owned(subject, now + 9), now + 9, { max: 1, whenFull: "evict-oldest" })
        expect(yield* idsOf(index, subject, now + 9)).toEqual([last])
      })
  ),

  test(
    "S8: a bound that refuses returns Full and inserts nothing, until a session that ends makes room",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        const subject = freshSubject()
        const bound = { max: 2, whenFull: "refuse" } as const
        const [first, second, third] = [freshId(), freshId(), freshId()]
        expect(yield* index.insert(first, owned(subject, now, { lifeMillis: 1000 }), now, bound)).toBe("Inserted")
        expect(yield* index.insert(second, owned(subject, now), now, bound)).toBe("Inserted")
        expect(yield* index.insert(third, owned(subject, now), now, bound)).toBe("Full")
        expect(yield* backend.find(third, now)).toEqual(Option.none())
        expect((yield* idsOf(index, subject, now)).sort()).toEqual([first, second].sort())
        yield* backend.remove(second, undefined, now)
        expect(yield* index.insert(third, owned(subject, now), now, bound)).toBe("Inserted")
        // the first has expired
        const fourth = freshId()
        expect(yield* index.insert(fourth, owned(subject, now + 1000), now + 1000, bound)).toBe("Inserted")
        expect(yield* index.insert(freshId(), owned(subject, now + 1000), now + 1000, bound)).toBe("Full")
        expect(yield* idsOf(index, subject, now + 1000)).toEqual([third, fourth])
      })
  ),

  test(
    "S8: parallel sign-ins never leave more sessions than the bound allows",
    (index, backend) =>
      Effect.gen(function*() {
        const now = Date.now()
        for (const whenFull of ["evict-oldest", "refuse"] as const) {
          const subject = freshSubject()
          const ids = Array.from({ length: 20 }, freshId)
          const answers = yield* Effect.forEach(
            ids,
            (id, i) => index.insert(id, owned(subject, now, { createdAt: now + i }), now + 20, { max: 3, whenFull }),
            { concurrency: "unbounded" }
          )
          const listed = yield* idsOf(index, subject, now + 20)
          expect([whenFull, listed.length]).toEqual([whenFull, 3])
          const live = yield* Effect.filter(ids, (id) => Effect.map(backend.find(id, now + 20), Option.isSome))
          expect([...live].sort()).toEqual([...listed].sort())
          if (whenFull === "refuse") {
            expect(answers.filter((answer) => answer === "Inserted")).toHaveLength(3)
            expect(answers.filter((answer) => answer === "Full")).toHaveLength(17)
          } else {
            expect(new Set(answers)).toEqual(new Set(["Inserted"]))
          }
        }
      })
  )
]
