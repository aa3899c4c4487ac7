import { describe, expect, it } from "@effect/vitest"
import { SessionConfig } from "effect-session"
import { isUnseen } from "../../src/internal/flash/unseen.js"

describe("a page that nobody may see", () => {
  const table: ReadonlyArray<readonly [unseen: boolean, headers: Readonly<Record<string, string>>]> = [
    [false, {}],
    [true, { "sec-purpose": "prefetch" }],
    [true, { "sec-purpose": "prefetch;prerender" }],
    [true, { "sec-purpose": "prefetch; anonymous-client-ip" }],
    [true, { "sec-purpose": "Prefetch" }],
    [true, { purpose: "prefetch" }],
    [true, { "x-moz": "prefetch" }],
    [true, { "x-purpose": "preview" }],
    [true, { "sec-purpose": "", purpose: "prefetch" }],
    [false, { "sec-purpose": "" }],
    [false, { "sec-purpose": "prefetched" }],
    [false, { "sec-purpose": "no-prefetch" }],
    [false, { purpose: "preview" }],
    [false, { "x-purpose": "instant" }],
    [false, { "sec-fetch-mode": "navigate", "sec-fetch-site": "none" }]
  ]
  for (const [unseen, headers] of table) {
    it(`L3: ${JSON.stringify(headers)} ${unseen ? "prefetches" : "is a page that is shown"}`, () => {
      expect(isUnseen({ method: "GET", headers })).toBe(unseen)
    })
  }

  it("L3: a HEAD has no page", () => {
    expect(isUnseen({ method: "HEAD", headers: {} })).toBe(true)
    for (const method of ["GET", "POST", "PUT"]) expect(isUnseen({ method, headers: {} })).toBe(false)
  })

  it("I4: isPrefetch recognises the same requests, and a HEAD is none by itself", () => {
    for (const [unseen, headers] of table) {
      expect(SessionConfig.isPrefetch({ headers }), JSON.stringify(headers)).toBe(unseen)
    }
  })
})
