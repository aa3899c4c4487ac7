/**
 * A short name for the browser and the system that a User-Agent header claims.
 */

/** The first that matches counts: Edge and Chrome also call themselves Safari. */
const browsers = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
  ["curl/", "curl"]
] as const

const systems = [
  ["Android", "Android"],
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["Linux", "Linux"]
] as const

const find = (names: ReadonlyArray<readonly [part: string, name: string]>, text: string): string | undefined =>
  names.find(([part]) => text.includes(part))?.[1]

export const deviceName = (userAgent: string): string => {
  const browser = find(browsers, userAgent)
  const system = find(systems, userAgent)
  if (browser === undefined) return "An unknown browser"
  return system === undefined ? browser : `${browser} on ${system}`
}
