import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { decide, type Decision, type Facts } from "../../src/internal/csrf/decide.js"
import * as Origins from "../../src/internal/csrf/origins.js"
import { cells, type Outcome, safe, shop, trusted, unsafe } from "./table.js"

const origins = Origins.make([trusted])

const outcomeOf = (decision: Decision): Outcome =>
  decision._tag === "Allowed" ? "passes" : decision._tag === "Unknown" ? "token" : decision.reason

const facts = (given: Partial<Facts>): Facts => ({
  method: "POST",
  handshake: false,
  site: undefined,
  origin: undefined,
  host: shop,
  ...given
})

describe("what a request's headers say of where it comes from", () => {
  for (const method of unsafe) {
    it(`X2: the method ${method} is decided by Sec-Fetch-Site, and without it by Origin, for each cell of the table`, () => {
      const wrong = cells(({ host, origin, outcome, site }) => {
        const got = outcomeOf(decide(origins, facts({ method, site, origin, host })))
        return got === outcome ? [] : [{ site, origin, host, outcome, got }]
      })
      expect(wrong).toHaveLength(768)
      expect(wrong.flat()).toEqual([])
    })
  }

  for (const method of [...safe, "TRACE"]) {
    it(`X1: the method ${method} passes, for each cell of the table`, () => {
      for (const decision of cells(({ outcome: _, ...given }) => decide(origins, facts({ method, ...given })))) {
        expect(decision).toEqual({ _tag: "Allowed", because: "Safe" })
      }
    })
  }

  it("X1: no other method is a safe one, known or unknown, nor one in lower case", () => {
    for (const method of [...unsafe, "QUERY", "PROPFIND", "CONNECT", "get", "", "GET "]) {
      expect(decide(origins, facts({ method, site: "cross-site" }))).toEqual({ _tag: "Refused", reason: "CrossSite" })
    }
  })

  it("X4: a handshake is a GET that is decided as a change is, but for a browser that names no origin", () => {
    const wrong = cells(({ host, origin, outcome, site }) => {
      const handshake = decide(origins, facts({ method: "GET", handshake: true, site, origin, host }))
      const should = outcome !== "token" ? outcome : origin === undefined ? "passes" : "OtherOrigin"
      return outcomeOf(handshake) === should ? [] : [{ site, origin, host, handshake }]
    })
    expect(wrong.flat()).toEqual([])
  })

  it("X2: whatever else it has, a request that the browser calls cross-site passes by a trusted origin alone", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.constantFrom("cross-site", "same-site"),
      FastCheck.option(FastCheck.oneof(FastCheck.webUrl({ withFragments: false }), FastCheck.string()), {
        nil: undefined
      }),
      FastCheck.option(FastCheck.string(), { nil: undefined }),
      FastCheck.boolean(),
      (site, origin, host, handshake) => {
        const method = handshake ? "GET" : "POST"
        expect(outcomeOf(decide(origins, { method, handshake, site, origin, host }))).toBe(
          origin === trusted ? "passes" : site === "same-site" ? "SameSite" : "CrossSite"
        )
      }
    ))
  })

  it("X3: an origin passes by the host only if it is the host with a scheme in front", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.constantFrom("http", "https", "ws", "file"),
      FastCheck.domain(),
      FastCheck.option(FastCheck.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      FastCheck.domain(),
      (scheme, domain, port, other) => {
        const name = port === undefined ? domain : `${domain}:${port}`
        const page = (url: string) => {
          const { host, origin } = new URL(url)
          return outcomeOf(decide(origins, facts({ host, origin })))
        }
        if (scheme.startsWith("http")) expect(page(`${scheme}://${name}/page`)).toBe("passes")
        const strange = decide(origins, facts({ host: name, origin: `${scheme}://${other}.${name}` }))
        expect(outcomeOf(strange)).toBe("OtherOrigin")
      }
    ))
  })

  it("X3: the port of the scheme may be left out, and every other port counts", () => {
    const by = (origin: string, host: string) => outcomeOf(decide(origins, facts({ origin, host })))
    expect(by("http://a.example", "a.example:80")).toBe("passes")
    expect(by("https://a.example", "A.example:443")).toBe("passes")
    expect(by("http://[::1]", "[::1]:80")).toBe("passes")
    expect(by("http://a.example:3000", "a.example:3000")).toBe("passes")
    for (const host of ["a.example:443", "a.example:3000", "a.example:8080"]) {
      expect(by("http://a.example", host)).toBe("OtherOrigin")
    }
  })

  it("X3: without a host, an origin has to be trusted", () => {
    expect(outcomeOf(decide(origins, facts({ host: undefined, origin: `http://${shop}` })))).toBe("OtherOrigin")
    expect(outcomeOf(decide(origins, facts({ host: "", origin: "http://" })))).toBe("OtherOrigin")
    expect(outcomeOf(decide(origins, facts({ host: undefined, origin: trusted })))).toBe("passes")
  })
})

describe("trusted origins", () => {
  const written: ReadonlyArray<readonly [text: string, origin: string | undefined]> = [
    ["https://shop.example", "https://shop.example"],
    ["https://shop.example/", "https://shop.example"],
    ["https://Shop.Example:443", "https://shop.example"],
    ["HTTP://shop.example:80", "http://shop.example"],
    ["http://shop.example:443", "http://shop.example:443"],
    ["http://[::1]:3000", "http://[::1]:3000"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["capacitor://localhost", "capacitor://localhost"],
    ["shop.example", undefined],
    ["*", undefined],
    ["https://*.shop.example", undefined],
    ["https://shop.example/path", undefined],
    ["https://shop.example?a", undefined],
    ["https://user@shop.example", undefined],
    ["https://", undefined],
    ["https://shop example", undefined],
    ["null", undefined],
    ["", undefined]
  ]
  for (const [text, origin] of written) {
    it(`X3: ${JSON.stringify(text)} ${origin === undefined ? "is refused" : `is trusted as ${origin}`}`, () => {
      if (origin === undefined) expect(() => Origins.make([text])).toThrow("trustedOrigins[0]")
      else expect(Origins.make([text]).trusts(origin)).toBe(true)
    })
  }

  it("X3: all mistakes in the list are reported at once", () => {
    expect(() => Origins.make(["shop.example", "https://shop.example", "*"])).toThrow(
      /2 mistakes\n {2}trustedOrigins\[0\]: .*\n {2}trustedOrigins\[2\]: /
    )
  })
})
