import * as SqlClient from "@effect/sql/SqlClient"
import { expect, layer } from "@effect/vitest"
import { SessionBackend, type StoredSession, type SubjectBound, SubjectIndex } from "effect-session/SessionBackend"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { callsOf, Naive, step } from "../memory/naive.js"
import { type Span, tracerOf } from "../support/tracing.js"
import { counted } from "./counted.js"
import { databases } from "./databases.js"
import { another, backendOf, own, table } from "./harness.js"
import { found, hour, isThere, newId, now, owned, owner, patch, session, times } from "./records.js"

for (const database of databases) {
  const { dialect } = database

  const sets = dialect === "mysql" ?
    (column: string) => `\`${column}\` = ?` :
    (column: string) => `${column} = ${dialect === "pg" ? "$1" : "?"}`
  const spoil = (id: string, column: string, value: unknown) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql.unsafe(`UPDATE ${table} SET ${sets(column)} WHERE id = '${id}'`, [value])
    )

  database.describe(() =>
    layer(own(database), { excludeTestServices: true, timeout: 30_000 })((it) => {
      // ── find, insert ──

      it.effect("S8: find returns a record as it was inserted, with version 1", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const plain = session({ own: true, persistent: false })
          const bound = session({
            data: new Map([["", "\"\""], ["n", "null"], ["text", JSON.stringify("ö漢\u{1F600}\\\"")]]),
            owner: owner("ada", { userAgent: "Läufer/1.0 (漢)", address: "2001:db8::1" })
          })
          const ids = [newId(), newId()]
          expect(yield* backend.insert(ids[0], plain, now)).toBe(true)
          expect(yield* backend.insert(ids[1], bound, now)).toBe(true)
          expect(yield* found(ids[0])).toEqual({ ...plain, version: 1 })
          expect(yield* found(ids[1])).toEqual({ ...bound, version: 1 })
          expect(Option.isNone(yield* backend.find(newId(), now))).toBe(true)
        }))

      it.effect("C8: keys that differ by case, white space, normal form or NUL stay different, and any text is returned unchanged", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const keys = [
            "a",
            "A",
            " a",
            "a ",
            "a\t",
            "é",
            "e\u0301",
            "ß",
            "ss",
            "",
            "__proto__",
            "constructor",
            "version",
            "expires",
            "nul\u0000",
            "\u0000",
            "\u001f",
            "\u{1F600}",
            "\u2028",
            "'",
            "\"",
            "\\",
            "%",
            "$1",
            "?",
            ":name",
            "1:2:"
          ]
          const data = new Map(keys.map((key, i) => [key, JSON.stringify(`${i} ${key}`)]))
          const id = newId()
          yield* backend.insert(id, session({ data }), now)
          expect([...(yield* found(id)).data]).toEqual([...data])
          yield* backend.update(id, patch({ "a": "1" }, { remove: new Set(["A", "a ", "nul\u0000"]) }), now)
          const expected = new Map(data)
          for (const key of ["A", "a ", "nul\u0000"]) expected.delete(key)
          expect((yield* found(id)).data).toEqual(expected.set("a", "1"))
        }))

      it.effect("S8: ids that differ by case alone are different records", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = `a${newId().slice(1)}`
          const other = `A${id.slice(1)}`
          yield* backend.insert(id, session(), now)
          expect(yield* isThere(other)).toBe(false)
          expect(yield* backend.remove(other, undefined, now)).toBe("missing")
          expect(yield* backend.insert(other, session({ data: new Map() }), now)).toBe(true)
          expect((yield* found(id)).data.size).toBe(1)
        }))

      it.effect("S8: insert refuses an id that is taken and changes nothing", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          const before = yield* found(id)
          expect(yield* backend.insert(id, session({ data: new Map(), expiresAt: now + 9 * hour }), now)).toBe(false)
          // the same again, as a retry would send it: nothing says that it is ours
          expect(yield* backend.insert(id, session(), now)).toBe(false)
          expect(yield* found(id)).toEqual(before)
        }))

      it.effect("S8: of parallel inserts of one id, one succeeds", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          const answers = yield* Effect.forEach(
            Array.range(1, 24),
            (i) => backend.insert(id, session({ data: new Map([["i", String(i)]]) }), now),
            { concurrency: "unbounded" }
          )
          expect(answers.filter((inserted) => inserted)).toHaveLength(1)
          expect((yield* found(id)).data.get("i")).toBe(String(answers.indexOf(true) + 1))
        }))

      it.effect("S4: from expiresAt on a record is missing, although its row still exists", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ expiresAt: now + 1, owner: owner("late") }), now)
          expect(yield* isThere(id, now)).toBe(true)
          expect(yield* isThere(id, now + 1)).toBe(false)
          expect(yield* backend.update(id, patch({ a: "1" }), now + 1)).toEqual({ _tag: "Missing" })
          expect(yield* backend.update(id, patch({ a: "1" }), now + 1, 1)).toEqual({ _tag: "Missing" })
          expect(yield* backend.update(id, patch({ a: "1" }), now + 1, undefined, yield* found(id))).toEqual({
            _tag: "Missing"
          })
          expect(yield* backend.remove(id, undefined, now + 1)).toBe("missing")
          expect(yield* backend.remove(id, 1, now + 1)).toBe("missing")
          expect(yield* (yield* SubjectIndex).list("late", now + 1)).toEqual([])
          expect(yield* found(id, now)).toMatchObject({ version: 1 })
        }))

      it.effect("S8: the id of an expired record is free, and a new record under that id inherits nothing from the expired one", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ expiresAt: now + 1, owner: owner("before") }), now)
          const old = yield* found(id)
          yield* backend.update(id, patch({ more: "1" }, { expiry: times({ expiresAt: now + 1 }) }), now)
          const next = session({ data: new Map([["next", "1"]]) })
          expect(yield* backend.insert(id, next, now + 1)).toBe(true)
          expect(yield* found(id, now + 1)).toEqual({ ...next, version: 1 })
          expect(yield* (yield* SubjectIndex).list("before", now)).toEqual([])
          // who still holds the old record, at the version that the new one has, writes on the new one
          yield* backend.update(id, patch({ stale: "1" }), now, undefined, old)
          expect((yield* found(id, now + 1)).data).toEqual(new Map([["next", "1"], ["stale", "1"]]))
        }))

      // ── update ──

      it.effect("S3: an update first clears, then removes, then sets, and adds one to the version", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ data: new Map([["a", "1"], ["b", "2"]]) }), now)
          const updated = yield* backend.update(id, patch({ c: "3" }, { remove: new Set(["a", "none"]) }), now)
          expect(updated).toEqual({ _tag: "Updated", version: 2, expiry: times() })
          expect(yield* found(id)).toEqual({ ...session({ data: new Map([["b", "2"], ["c", "3"]]) }), version: 2 })
          yield* backend.update(id, patch({ d: "4" }, { clear: true }), now)
          expect((yield* found(id)).data).toEqual(new Map([["d", "4"]]))
          yield* backend.update(id, patch({}, { clear: true }), now)
          expect(yield* found(id)).toEqual({ ...session({ data: new Map() }), version: 4 })
          expect(yield* backend.update(id, patch({}), now)).toMatchObject({ version: 5 })
          expect((yield* found(id)).version).toBe(5)
        }))

      it.effect("S2: an update never creates a record", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
          yield* backend.insert(id, session(), now)
          const base = yield* found(id)
          expect(yield* backend.remove(id, undefined, now)).toBe("removed")
          expect(yield* backend.update(id, patch({ a: "1" }), now, undefined, base)).toEqual({ _tag: "Missing" })
          expect(yield* backend.update(id, patch({ a: "1" }), now, 1, base)).toEqual({ _tag: "Missing" })
          expect(yield* isThere(id)).toBe(false)
        }))

      it.effect("S8: with ifVersion, an update applies only at that version, whatever base contains", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          const first = yield* found(id)
          expect(yield* backend.update(id, patch({ a: "1" }), now, 2)).toEqual({ _tag: "Conflict" })
          expect(yield* backend.update(id, patch({ a: "1" }), now, 2, first)).toEqual({ _tag: "Conflict" })
          expect(yield* backend.update(id, patch({ a: "1" }), now, 1, first)).toMatchObject({
            _tag: "Updated",
            version: 2
          })
          expect(yield* backend.update(id, patch({ b: "1" }), now, 1, first)).toEqual({ _tag: "Conflict" })
          const lie: StoredSession = { ...first, version: 1, data: new Map([["lie", "1"]]) }
          expect(yield* backend.update(id, patch({ b: "1" }), now, 2, lie)).toMatchObject({
            _tag: "Updated",
            version: 3
          })
          expect((yield* found(id)).data).toEqual(new Map([["user", "\"ada\""], ["a", "1"], ["b", "1"]]))
        }))

      it.effect("S3: a stale base may avoid a read, but never decides what is written", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ data: new Map([["a", "1"], ["big", `"${"x".repeat(900)}"`]]) }), now)
          const stale = yield* found(id)
          const longer = times({ expiresAt: now + 2 * hour })
          yield* backend.update(id, patch({ b: "2" }, { expiry: longer, remove: new Set(["big"]) }), now)
          // too large on what the caller saw, not on what is there
          const updated = yield* backend.update(id, patch({ c: "3" }, { maxBytes: 100 }), now, undefined, stale)
          expect(updated).toEqual({ _tag: "Updated", version: 3, expiry: longer })
          expect(yield* found(id)).toMatchObject({ data: new Map([["a", "1"], ["b", "2"], ["c", "3"]]), ...longer })
        }))

      it.effect("E3: a patch with times sets the record's times, and a patch without times leaves them unchanged", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          const moved = times({
            createdAt: now,
            refreshedAt: now,
            expiresAt: now + 9,
            idleMillis: 9,
            persistent: false,
            own: true
          })
          expect(yield* backend.update(id, patch({}, { expiry: moved }), now)).toEqual({
            _tag: "Updated",
            version: 2,
            expiry: moved
          })
          expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({
            _tag: "Updated",
            version: 3,
            expiry: moved
          })
          const again = { ...moved, expiresAt: now + 10 }
          expect(yield* backend.update(id, patch({ b: "1" }, { expiry: again }), now)).toMatchObject({ expiry: again })
          expect(yield* found(id)).toMatchObject({
            ...again,
            data: new Map([["user", "\"ada\""], ["a", "1"], ["b", "1"]])
          })
        }))

      it.effect("E1: fractions of a millisecond never make a session live longer", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ expiresAt: now + 1.75, idleMillis: 1.75 }), now)
          const stored = yield* found(id)
          expect(stored).toMatchObject({ expiresAt: now + 1, idleMillis: 1 })
          const expiry = times({ expiresAt: now + 5.5 })
          const whole = times({ expiresAt: now + 5 })
          expect(yield* backend.update(id, patch({}, { expiry }), now, undefined, stored)).toMatchObject({
            expiry: whole
          })
          // the caller's own idea of what it wrote is a base as well
          expect(yield* backend.update(id, patch({}), now, 2, { ...stored, ...expiry, version: 2 })).toMatchObject({
            version: 3
          })
          expect(yield* isThere(id, now + 5)).toBe(false)
        }))

      it.effect("S7: the size of the merged data in bytes is checked before anything is written", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          // 1 + 5, and 2 + 3 with a key of two bytes
          yield* backend.insert(id, session({ data: new Map([["a", "\"xyz\""]]) }), now)
          expect(yield* backend.update(id, patch({ "é": "123" }, { maxBytes: 10 }), now)).toEqual({
            _tag: "TooLarge",
            size: 11
          })
          expect(yield* backend.update(id, patch({ "é": "123" }, { maxBytes: 10 }), now, 1, yield* found(id)))
            .toEqual({ _tag: "TooLarge", size: 11 })
          expect((yield* found(id)).version).toBe(1)
          expect(yield* backend.update(id, patch({ "é": "123" }, { maxBytes: 11 }), now)).toMatchObject({
            _tag: "Updated"
          })
        }))

      it.effect("S7: parallel updates together cannot exceed the size limit", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session({ data: new Map() }), now)
          const base = yield* found(id)
          // ten bytes each, room for seven
          const answers = yield* Effect.forEach(
            Array.range(10, 29),
            (i) => backend.update(id, patch({ [`k${i}`]: "1234567" }, { maxBytes: 79 }), now, undefined, base),
            { concurrency: "unbounded" }
          )
          expect(answers.filter(({ _tag }) => _tag === "Updated")).toHaveLength(7)
          expect(answers.filter((answer) => answer._tag === "TooLarge" && answer.size === 80)).toHaveLength(13)
          expect((yield* found(id)).data.size).toBe(7)
        }))

      it.effect(
        "S3: 200 parallel updates of different keys from two instances lose no key, with and without a base",
        () =>
          Effect.gen(function*() {
            const backend = yield* SessionBackend
            const { backend: second } = yield* backendOf(yield* another())
            const id = newId()
            yield* backend.insert(id, session({ data: new Map() }), now)
            const base = yield* found(id)
            const answers = yield* Effect.forEach(
              Array.range(1, 200),
              (i) =>
                (i % 2 === 0 ? backend : second).update(
                  id,
                  patch({ [`k${i}`]: "1" }),
                  now,
                  undefined,
                  i % 3 === 0 ? base : undefined
                ),
              { concurrency: "unbounded" }
            )
            expect(
              new Set(answers.map((answer) => answer._tag === "Updated" && answer.version)).size
            ).toBe(200)
            const record = yield* found(id)
            expect(record.data.size).toBe(200)
            expect(record.version).toBe(201)
          }).pipe(Effect.scoped),
        60_000
      )

      // ── remove ──

      it.effect("S8: remove says which caller was first, and removes only the version that it was given", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          expect(yield* backend.remove(id, 2, now)).toBe("conflict")
          expect(yield* backend.update(id, patch({}), now)).toMatchObject({ version: 2 })
          expect(yield* backend.remove(id, 1, now)).toBe("conflict")
          expect(yield* isThere(id)).toBe(true)
          expect(yield* backend.remove(id, 2, now)).toBe("removed")
          expect(yield* backend.remove(id, 2, now)).toBe("missing")
          expect(yield* backend.remove(id, undefined, now)).toBe("missing")
          yield* backend.insert(id, session(), now)
          const answers = yield* Effect.all(
            Array.makeBy(8, () => backend.remove(id, undefined, now)),
            { concurrency: "unbounded" }
          )
          expect(answers.filter((answer) => answer === "removed")).toHaveLength(1)
        }))

      it.effect("S4: removeExpired removes no more records than its limit, only expired ones, and the oldest first", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const start = now + 1000 * hour
          const ids = Array.makeBy(7, newId)
          for (const [i, id] of ids.entries()) yield* backend.insert(id, session({ expiresAt: start + i }), now)
          yield* backend.removeExpired(start - 1, 1_000)
          expect(yield* backend.removeExpired(start + 4, 0)).toBe(0)
          expect(yield* backend.removeExpired(start + 4, 3)).toBe(3)
          expect(yield* Effect.forEach(ids, (id) => isThere(id))).toEqual([false, false, false, true, true, true, true])
          expect(yield* backend.removeExpired(start + 4, 3)).toBe(2)
          expect(yield* backend.removeExpired(start + 4, 3)).toBe(0)
          expect(yield* Effect.forEach(ids.slice(5), (id) => isThere(id))).toEqual([true, true])
        }))

      it.effect(
        "S4: clean-ups that run on all instances at the same time as inserts and refreshes remove each expired record once",
        () =>
          Effect.gen(function*() {
            const backend = yield* SessionBackend
            const instances = [
              backend,
              (yield* backendOf(yield* another())).backend,
              (yield* backendOf(yield* another())).backend
            ]
            yield* backend.removeExpired(now, 100_000)
            const dead = Array.makeBy(300, newId)
            const living = Array.makeBy(40, newId)
            yield* Effect.forEach(dead, (id) => backend.insert(id, session({ expiresAt: now + 1 }), now), {
              concurrency: 8
            })
            yield* Effect.forEach(living, (id) => backend.insert(id, session({ expiresAt: now + 2 }), now), {
              concurrency: 8
            })
            const at = now + 1
            // every one of them expires at `at + 1`, unless it is refreshed while the clean-up for `at + 1` runs
            const sweep = (instance: typeof backend): Effect.Effect<number, unknown> =>
              Effect.flatMap(
                instance.removeExpired(at, 7),
                (removed) => removed === 0 ? Effect.succeed(0) : Effect.map(sweep(instance), (more) => more + removed)
              )
            const [removed] = yield* Effect.all([
              Effect.all(instances.map(sweep), { concurrency: "unbounded" }),
              Effect.forEach(
                living,
                (id) => backend.update(id, patch({}, { expiry: times({ expiresAt: now + hour }) }), at),
                { concurrency: 8 }
              ),
              Effect.forEach(Array.range(1, 60), () => instances[1].insert(newId(), session(), at), { concurrency: 8 })
            ], { concurrency: "unbounded" })
            const late = yield* Effect.all(instances.map((instance) => instance.removeExpired(at, 1_000)))
            expect([...removed, ...late].reduce((sum, n) => sum + n, 0)).toBe(300)
            expect(yield* Effect.forEach(living, (id) => isThere(id, at + 1))).not.toContain(false)
          }).pipe(Effect.scoped),
        60_000
      )

      // ── what cannot be read ──

      for (
        const [column, value] of [
          ["data", "garbage"],
          ["data", "9:9:short"],
          ["data", "1:1:a11:1:a1"],
          ["version", 0],
          ["version", -3],
          ["format", 0],
          ["created_at", -1],
          ["idle_millis", -1],
          ["persistent", 2],
          ["own", -1],
          ["subject", "half an \\u12 escape"],
          ["authenticated_at", null],
          ["user_agent", "\\x"]
        ] as const
      ) {
        it.effect(`S6: a row with ${column} = ${value} is a corrupt record, which can be removed and never updated`, () =>
          Effect.gen(function*() {
            const backend = yield* SessionBackend
            const index = yield* SubjectIndex
            const id = newId()
            yield* backend.insert(id, session({ owner: owner("corrupt", { userAgent: "secret-agent" }) }), now)
            yield* spoil(id, column, value)
            const record = yield* backend.find(id, now)
            expect(record).toMatchObject(Option.some({ _tag: "Corrupt", newerFormat: false }))
            if (typeof value === "string") expect(JSON.stringify(record)).not.toContain(value.slice(0, 4))
            expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
            // the list looks at no data
            const listed = yield* index.list("corrupt", now)
            expect(listed.map((entry) => entry.id)).toEqual(column === "data" ? [id] : [])
            expect(yield* backend.remove(id, undefined, now)).toBe("removed")
          }))
      }

      if (dialect === "sqlite") {
        for (const column of ["expires_at", "version", "created_at", "data"]) {
          it.effect(`S6: a record with a blob or a text in ${column}, which SQLite accepts, is corrupt`, () =>
            Effect.gen(function*() {
              const backend = yield* SessionBackend
              for (const value of ["soon", Buffer.from("\ufffdoctets")]) {
                const id = newId()
                yield* backend.insert(id, session(), now)
                yield* spoil(id, column, value)
                expect(yield* backend.find(id, now)).toMatchObject(Option.some({ _tag: "Corrupt", newerFormat: false }))
                expect(yield* backend.remove(id, undefined, now)).toBe("removed")
              }
            }))
        }
      }

      it.effect("S6: a record of a newer format is reported as such, is never updated, and expires like any other", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const id = newId()
          yield* backend.insert(id, session(), now)
          yield* spoil(id, "format", 9)
          yield* spoil(id, "data", "laid out in another way")
          expect(yield* backend.find(id, now)).toMatchObject(Option.some({ _tag: "Corrupt", newerFormat: true }))
          expect(yield* backend.update(id, patch({ a: "1" }), now)).toEqual({ _tag: "Missing" })
          expect(yield* backend.insert(id, session(), now)).toBe(false)
          expect(Option.isNone(yield* backend.find(id, now + hour))).toBe(true)
        }))

      it.effect("S8: any sequence of calls gets the answers that a plain map would give", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const index = yield* SubjectIndex
          const sql = yield* SqlClient.SqlClient
          const plain = (value: unknown): unknown => Option.isOption(value) ? Option.getOrUndefined(value) : value
          yield* Effect.promise(() =>
            FastCheck.assert(
              FastCheck.asyncProperty(FastCheck.array(step, { maxLength: 30 }), async (steps) => {
                await Effect.runPromise(sql.unsafe(`DELETE FROM ${table}`))
                for (const call of callsOf(steps, new Naive())) {
                  expect(plain(await Effect.runPromise(call.run(backend, index) as Effect.Effect<unknown>))).toEqual(
                    call.expected
                  )
                }
              }),
              { numRuns: 40 }
            )
          )
        }), 60_000)

      // ── costs ──

      it.effect("P8: a find sends one statement, an update sends two, and an update of a record that was read sends one", () =>
        Effect.gen(function*() {
          const { client, reserved, statements } = yield* Effect.provideServiceEffect(
            counted,
            SqlClient.SqlClient,
            another()
          )
          const { backend, index } = yield* backendOf(client)
          const of = <A, E>(effect: Effect.Effect<A, E>) =>
            Effect.suspend(() => {
              statements.length = 0
              return Effect.map(
                effect,
                (): ReadonlyArray<string> => statements.map((text) => text.trim().split(/\s/)[0])
              )
            })
          const id = newId()
          expect(yield* of(backend.insert(id, session({ owner: owner("counted") }), now))).toHaveLength(1)
          expect(yield* of(backend.find(id, now))).toEqual(["SELECT"])
          expect(yield* of(backend.find(newId(), now))).toEqual(["SELECT"])
          const base = yield* found(id)
          expect(yield* of(backend.update(id, patch({ a: "1" }), now, undefined, base))).toEqual(["UPDATE"])
          expect(yield* of(backend.update(id, patch({ a: "2" }), now))).toEqual(["SELECT", "UPDATE"])
          const third = yield* found(id)
          expect(yield* of(backend.update(id, patch({ a: "3" }), now, third.version, third))).toEqual(["UPDATE"])
          expect(yield* of(backend.update(newId(), patch({ a: "1" }), now))).toEqual(["SELECT"])
          expect(yield* of(backend.update(id, patch({}, { expiry: times() }), now, undefined, yield* found(id))))
            .toEqual(["UPDATE"])
          expect(yield* of(index.list("counted", now))).toEqual(["SELECT"])
          expect(yield* of(index.forget("counted", id))).toEqual([])
          expect(yield* of(backend.remove(id, undefined, now))).toEqual(["DELETE"])
          expect(yield* of(backend.removeExpired(now, 10))).toEqual(["DELETE"])
          // once at the start; after that statements run on the pool itself, which is half of their cost
          if (dialect !== "sqlite") expect(reserved()).toBe(1)
        }).pipe(Effect.scoped))

      it.effect("P8: no statement opens a span", () =>
        Effect.gen(function*() {
          const backend = yield* SessionBackend
          const spans: Array<Span> = []
          const tracer = tracerOf(spans)
          const id = newId()
          yield* Effect.withTracer(
            Effect.gen(function*() {
              yield* backend.insert(id, session(), now)
              yield* backend.find(id, now)
              yield* backend.update(id, patch({ a: "1" }), now)
              yield* backend.remove(id, undefined, now)
            }),
            tracer
          )
          expect(spans).toEqual([])
          yield* Effect.withTracer(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT 1`), tracer)
          expect(spans).toHaveLength(1)
        }))

      // ── the index of a subject's sessions ──

      const listed = (subject: string, at = now) =>
        Effect.flatMap(SubjectIndex, (index) => Effect.map(index.list(subject, at), (list) => list.map(({ id }) => id)))

      it.effect("S8: list returns the live records of exactly this subject, oldest first", () =>
        Effect.gen(function*() {
          const index = yield* SubjectIndex
          const backend = yield* SessionBackend
          const [old, older, expired, plain] = Array.makeBy(4, newId)
          expect(yield* index.insert(old, owned("eve", { createdAt: now - 1 }), now, undefined)).toBe("Inserted")
          expect(yield* index.insert(older, owned("eve", { createdAt: now - 2 }), now, undefined)).toBe("Inserted")
          yield* index.insert(expired, owned("eve", { expiresAt: now + 1 }), now, undefined)
          // what the backend inserts is listed too: the record decides
          yield* backend.insert(plain, owned("eve", { createdAt: now - 3 }), now)
          yield* index.insert(newId(), owned("Eve"), now, undefined)
          expect(yield* listed("eve", now + 1)).toEqual([plain, older, old])
          const { data: _data, ...about } = yield* found(older)
          expect((yield* index.list("eve", now + 1))[1].session).toEqual(about)
          yield* index.forget("eve", older)
          expect(yield* listed("eve", now + 1)).toEqual([plain, older, old])
          yield* backend.remove(older, undefined, now)
          expect(yield* listed("eve", now + 1)).toEqual([plain, old])
          expect(yield* index.insert(old, owned("mallory"), now, undefined)).toBe("Taken")
          expect(yield* index.insert(old, owned("mallory"), now, { max: 3, whenFull: "refuse" })).toBe("Taken")
          expect(yield* listed("mallory")).toEqual([])
        }))

      it.effect("S8: subjects of any length and any text are distinct", () =>
        Effect.gen(function*() {
          const index = yield* SubjectIndex
          const subjects = [
            "",
            " ",
            "s",
            "S",
            "s ",
            "é",
            "e\u0301",
            "nul\u0000",
            "nul",
            "\ud800",
            "\udc00",
            "\ufffd",
            "'; DROP TABLE x; --",
            "\\",
            "\u{1F600}",
            "x".repeat(100_000),
            "x".repeat(100_001)
          ]
          const ids = subjects.map(() => newId())
          for (const [i, subject] of subjects.entries()) {
            const record = { ...session(), owner: owner(subject, { userAgent: subject, address: "nul\u0000" }) }
            expect(yield* index.insert(ids[i], record, now, { max: 1, whenFull: "refuse" })).toBe("Inserted")
          }
          for (const [i, subject] of subjects.entries()) {
            const list = yield* index.list(subject, now)
            expect(list.map(({ id }) => id)).toEqual([ids[i]])
            expect(list[0].session.owner).toEqual(owner(subject, { userAgent: subject, address: "nul\u0000" }))
          }
        }))

      it.effect("S8: a sign-in of a subject at its bound ends the oldest session, or is refused and inserts nothing", () =>
        Effect.gen(function*() {
          const index = yield* SubjectIndex
          const backend = yield* SessionBackend
          const ids = Array.makeBy(6, newId)
          const insert = (i: number, bound: SubjectBound, createdAt = now + i) =>
            index.insert(ids[i], owned("bounded", { createdAt }), now, bound)
          const evict: SubjectBound = { max: 2, whenFull: "evict-oldest" }
          yield* index.insert(newId(), owned("bounded", { createdAt: 1, expiresAt: now }), now - 1, undefined)
          for (const i of [0, 1, 2]) expect(yield* insert(i, evict)).toBe("Inserted")
          expect(yield* listed("bounded")).toEqual([ids[1], ids[2]])
          expect(yield* isThere(ids[0])).toBe(false)
          expect(yield* insert(3, { max: 2, whenFull: "refuse" })).toBe("Full")
          expect(yield* isThere(ids[3])).toBe(false)
          expect(yield* insert(2, { max: 2, whenFull: "refuse" })).toBe("Taken")
          // a bound that became smaller; and one that is the oldest itself, but was asked for just now
          expect(yield* insert(4, { max: 3, whenFull: "refuse" })).toBe("Inserted")
          expect(yield* insert(5, { max: 1, whenFull: "evict-oldest" }, 1)).toBe("Inserted")
          expect(yield* listed("bounded")).toEqual([ids[5]])
          expect(yield* backend.remove(ids[5], undefined, now)).toBe("removed")
          expect(yield* insert(5, { max: 1, whenFull: "refuse" })).toBe("Inserted")
        }))

      for (const whenFull of ["refuse", "evict-oldest"] as const) {
        it.effect(
          `S8: 50 parallel sign-ins of one subject from two instances never leave more than the bound (${whenFull})`,
          () =>
            Effect.gen(function*() {
              const index = yield* SubjectIndex
              const { index: second } = yield* backendOf(yield* another())
              const subject = `crowd ${whenFull}`
              const answers = yield* Effect.forEach(
                Array.range(1, 50),
                (i) =>
                  (i % 2 === 0 ? index : second).insert(newId(), owned(subject, { createdAt: now + i }), now, {
                    max: 5,
                    whenFull
                  }),
                { concurrency: "unbounded" }
              )
              expect(answers.filter((answer) => answer === "Inserted")).toHaveLength(whenFull === "refuse" ? 5 : 50)
              expect(yield* listed(subject)).toHaveLength(5)
            }).pipe(Effect.scoped),
          60_000
        )
      }

      it.effect("S8: parallel sign-ins of many subjects all succeed", () =>
        Effect.gen(function*() {
          const index = yield* SubjectIndex
          const { index: second } = yield* backendOf(yield* another())
          const answers = yield* Effect.forEach(
            Array.range(0, 199),
            (i) =>
              (i % 2 === 0 ? index : second)
                .insert(newId(), owned(`many ${i % 100}`), now, { max: 1, whenFull: "evict-oldest" }),
            { concurrency: "unbounded" }
          )
          expect(new Set(answers)).toEqual(new Set(["Inserted"]))
          const lists = yield* Effect.forEach(Array.range(0, 99), (i) => listed(`many ${i}`))
          expect(lists.map((list) => list.length)).toEqual(Array.makeBy(100, () => 1))
        }).pipe(Effect.scoped), 60_000)

      if (dialect !== "sqlite") {
        it.effect("S8: the table of locks does not grow, and is refilled after somebody has emptied it", () =>
          Effect.gen(function*() {
            const index = yield* SubjectIndex
            const sql = yield* SqlClient.SqlClient
            const rows = Effect.map(
              sql.unsafe<{ readonly n: unknown }>(`SELECT COUNT(*) AS n FROM ${table}_locks`),
              ([{ n }]) => Number(n)
            )
            expect(yield* rows).toBe(64)
            yield* sql.unsafe(`DELETE FROM ${table}_locks`)
            const answers = yield* Effect.forEach(
              Array.range(1, 20),
              () => index.insert(newId(), owned("mended"), now, { max: 3, whenFull: "refuse" }),
              { concurrency: "unbounded" }
            )
            expect(answers.filter((answer) => answer === "Inserted")).toHaveLength(3)
            expect(yield* rows).toBe(1)
          }))
      }
    })
  )
}
