/**
 * Sec-Fetch-Site × Origin × Host × method, and what becomes of each request: written down, and not computed as the code does.
 */

/** The app's own host, as browsers of its pages name it. */
export const shop = "shop.example"

/** The one origin that is trusted besides. */
export const trusted = "https://login.example"

export const safe = ["GET", "HEAD", "OPTIONS"] as const
export const unsafe = ["POST", "PUT", "PATCH", "DELETE"] as const

/** Absent, the four values, a value of the future, an empty one, and two headers in one. */
export const sites = [
  undefined,
  "same-origin",
  "none",
  "same-site",
  "cross-site",
  "same-planet",
  "",
  "same-origin, cross-site"
] as const

/** What a request may be sent to: the same server by several names. */
export const hosts = [shop, "SHOP.example", `${shop}:80`, `${shop}:443`, `${shop}:8080`, "10.0.0.7:3000"] as const

/**
 * Origins, each with the hosts that make it the app's own.
 *
 * A page with another scheme or port is another origin. A request does not say with which scheme it was sent, so that the
 * scheme is the one thing that the host does not tell apart.
 */
export const origins: ReadonlyArray<readonly [origin: string | undefined, ownOf: ReadonlyArray<string>]> = [
  [undefined, []],
  ["null", []],
  [trusted, []],
  [`http://${shop}`, [shop, "SHOP.example", `${shop}:80`]],
  [`https://${shop}`, [shop, "SHOP.example", `${shop}:443`]],
  [`http://${shop}:8080`, [`${shop}:8080`]],
  [`https://${shop}:80`, [`${shop}:80`]],
  ["http://evil.example", []],
  [`http://evil.${shop}`, []],
  [`http://${shop}.evil.example`, []],
  [`http://evil.example, http://${shop}`, []],
  [`${shop}`, []],
  [`ftp://${shop}`, []],
  [`https://${shop}/`, []],
  ["http://login.example", []],
  ["", []]
]

/** A token decides, or the reason for which the request is refused. */
export type Outcome = "passes" | "token" | "CrossSite" | "SameSite" | "OtherOrigin"

/** What becomes of a request that changes something. */
export const expected = (
  site: typeof sites[number],
  [origin, ownOf]: typeof origins[number],
  host: string
): Outcome => {
  const bySite: Partial<Record<string, Outcome>> = origin === trusted
    ? { "same-origin": "passes", none: "passes", "same-site": "passes", "cross-site": "passes" }
    : { "same-origin": "passes", none: "passes", "same-site": "SameSite", "cross-site": "CrossSite" }
  const said = bySite[site ?? "absent"]
  if (said !== undefined) return said
  if (origin === undefined || origin === "null") return "token"
  return origin === trusted || ownOf.includes(host) ? "passes" : "OtherOrigin"
}

/** Of every cell of the table what `use` makes of it. */
export const cells = <A>(
  use: (cell: {
    readonly site: typeof sites[number]
    readonly origin: string | undefined
    readonly host: string
    readonly outcome: Outcome
  }) => A
): ReadonlyArray<A> =>
  sites.flatMap((site) =>
    origins.flatMap((row) =>
      hosts.map((host) => use({ site, origin: row[0], host, outcome: expected(site, row, host) }))
    )
  )
