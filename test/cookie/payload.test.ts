import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { packedBytes } from "../../src/internal/codec/packedData.js"
import * as random from "../../src/internal/codec/random.js"
import * as payload from "../../src/internal/cookie/payload.js"
import { maxLifeMillis } from "../../src/internal/store/expiry.js"
import type { Expiry } from "../../src/SessionBackend.js"

const now = 1_795_000_000_000
const maxTime = 36 ** 9 - 1

const times = (over: Partial<Expiry> = {}): Expiry => ({
  createdAt: now,
  refreshedAt: now + 60_000,
  expiresAt: now + 3_600_000,
  idleMillis: 3_600_000,
  persistent: true,
  own: false,
  ...over
})

const audience = FastCheck.oneof(
  FastCheck.constant(""),
  FastCheck.string({ maxLength: 10 }),
  FastCheck.string16bits({ maxLength: 10 }),
  FastCheck.string({ unit: FastCheck.constantFrom(..."a\"\\u0\0\n\u007fé"), maxLength: 6 })
)
const key = FastCheck.oneof(
  FastCheck.constantFrom(
    "__proto__",
    "constructor",
    "",
    "version",
    "expires",
    "a",
    "A",
    "\0",
    "é",
    "e\u0301",
    "1:2:",
    "\\"
  ),
  FastCheck.fullUnicodeString({ maxLength: 12 })
)
const data = FastCheck.array(FastCheck.tuple(key, FastCheck.json()), { maxLength: 6 }).map((entries) =>
  new Map(entries)
)
const instant = FastCheck.integer({ min: 0, max: maxTime })
const expiry = FastCheck.record({
  createdAt: instant,
  refreshedAt: instant,
  expiresAt: instant,
  idleMillis: FastCheck.integer({ min: 1, max: maxLifeMillis }),
  persistent: FastCheck.boolean(),
  own: FastCheck.boolean()
})

describe("payload", () => {
  it("K5: any audience, sid, times, own expiry and data come back unchanged", () => {
    FastCheck.assert(
      FastCheck.property(audience, expiry, data, (audience, expiry, data) => {
        const prefix = payload.prefix(audience)
        const sid = random.sid()
        expect(payload.decode(prefix, payload.encode(prefix, sid, expiry, data), false)).toEqual({
          _tag: "Ours",
          sid,
          createdAt: expiry.createdAt,
          refreshedAt: expiry.refreshedAt,
          own: expiry.own ? { idleMillis: expiry.idleMillis, persistent: expiry.persistent } : undefined,
          data
        })
      }),
      { numRuns: 500 }
    )
  })

  it("K6: the size of any payload is known before it is written: the audience's and what each entry adds", () => {
    FastCheck.assert(
      FastCheck.property(audience, expiry, data, (audience, expiry, data) => {
        const prefix = payload.prefix(audience)
        let weight = 0
        for (const [key, text] of data) weight += packedBytes(key, text)
        expect(Buffer.byteLength(payload.encode(prefix, random.sid(), expiry, data)))
          .toBe(payload.overhead(prefix) + weight)
      }),
      { numRuns: 500 }
    )
    expect(payload.overhead(payload.prefix(""))).toBe(53)
  })

  it("K5: times have a fixed width, whatever their value", () => {
    const prefix = payload.prefix("")
    for (const millis of [-1, 0, 0.5, 1, now, now + 0.25, maxTime, maxTime + 1, 8.64e15, Infinity]) {
      for (const own of [true, false]) {
        for (const persistent of [true, false]) {
          const all = times({ createdAt: millis, refreshedAt: millis, idleMillis: millis, own, persistent })
          const text = payload.encode(prefix, random.sid(), all, new Map())
          expect(text).toHaveLength(payload.overhead(prefix))
          const decoded = payload.decode(prefix, text, false)
          expect(decoded).toMatchObject({
            createdAt: Math.min(Math.max(Math.trunc(millis), 0), maxTime),
            own: own ? { persistent, idleMillis: Math.min(Math.max(Math.trunc(millis), 0), maxLifeMillis) } : undefined
          })
        }
      }
    }
  })

  it("K5: a session of another audience is refused, however alike the two audiences are", () => {
    const odd = [
      "",
      "a",
      "A",
      "ab",
      "a\"",
      "a\\\"",
      "\"",
      "\\",
      "\"\"",
      "\\u0061",
      "a\0",
      "\0",
      "\n",
      "é",
      "e\u0301",
      "\\u00e9",
      "00e9",
      "u00e9",
      "\ud800",
      "\udc00",
      "\ufffd",
      "\\ud800",
      "🍪",
      "0".repeat(48)
    ]
    for (const one of odd) {
      const prefix = payload.prefix(one)
      expect(`${prefix.anonymous}${prefix.owned}`).toMatch(/^[ -~]+$/)
      const text = payload.encode(prefix, random.sid(), times(), new Map([["a", "1"]]))
      for (const other of odd) {
        expect(payload.decode(payload.prefix(other), text, false)._tag, JSON.stringify([one, other]))
          .toBe(one === other ? "Ours" : "Foreign")
      }
    }
    FastCheck.assert(FastCheck.property(audience, audience, expiry, data, (one, other, expiry, data) => {
      FastCheck.pre(one !== other)
      const text = payload.encode(payload.prefix(one), random.sid(), expiry, data)
      expect(payload.decode(payload.prefix(other), text, false)).toMatchObject({
        _tag: "Foreign",
        warning: expect.stringContaining("another audience")
      })
    }))
  })

  it("K7: another format, another version and a damaged payload are distinguished, and nothing throws", () => {
    const prefix = payload.prefix("")
    const ours = payload.encode(prefix, random.sid(), times({ own: true }), new Map([["alan", "\"turing\""]]))
    const warning = (text: string) => {
      const decoded = payload.decode(prefix, text, false)
      return decoded._tag === "Foreign" ? decoded.warning : "ours"
    }
    expect(warning(ours)).toBe("ours")
    for (
      const text of [
        "",
        "{}",
        `{"alan":"turing"}`,
        "es",
        "es1",
        "es01\"\"",
        "es0\"\"",
        "ES1\"\"",
        ` ${ours}`,
        `\ufeff${ours}`
      ]
    ) {
      expect(warning(text), text).toContain("not a session of this library")
    }
    for (const version of ["es3\"", "es10\"", "es3\"\"something else", ours.replace("es1", "es3")]) {
      expect(warning(version), version).toContain("another version")
    }
    const fields = prefix.anonymous.length
    const replaced = (at: number, by: string) => ours.slice(0, at) + by + ours.slice(at + by.length)
    for (
      const text of [
        ...Array.from({ length: payload.overhead(prefix) - fields }, (_, n) => ours.slice(0, fields + n)),
        ours.slice(0, -1),
        `${ours}x`,
        `${ours}1:1:`,
        `${ours}1:1:b`,
        ours + ours,
        replaced(fields, "+"),
        replaced(fields, " "),
        replaced(fields + 22, "A"),
        replaced(fields + 22, "-"),
        replaced(fields + 22, " "),
        replaced(fields + 31, "\0"),
        replaced(fields + 40, "x"),
        replaced(fields + 41, "Z"),
        replaced(fields + 48, "01:")
      ]
    ) {
      expect(warning(text), text).toContain("damaged")
    }
    for (const text of ["es2\"", ours.replace("es1", "es3"), ours.slice(0, -1), `{"alan":"turing"}`]) {
      expect(warning(text)).not.toMatch(/alan|turing/)
    }
  })

  it("K7: any text is read without throwing", () => {
    const prefix = payload.prefix("")
    const header = payload.encode(prefix, random.sid(), times(), new Map())
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string16bits({ maxLength: 120 }),
        FastCheck.string({ unit: FastCheck.constantFrom(..."0123456789:a\"\\u"), maxLength: 40 }),
        (any, packed) => {
          for (const text of [any, prefix + any, header + any, header + packed, `es2${any}`, `es1"${packed}`]) {
            expect(["Ours", "Foreign"]).toContain(payload.decode(prefix, text, false)._tag)
          }
        }
      ),
      { numRuns: 2000 }
    )
  })
})
