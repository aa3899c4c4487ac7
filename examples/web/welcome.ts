/**
 * What `npm start` prints: where the app listens, and a command to try for each of its routes for curl.
 */

const routes = [
  ["-X POST", "/session", "stores alan = turing"],
  ["", "/session", "turing"],
  ["-X DELETE", "/session", "removes alan"],
  ["", "/session/count", "1, 2, 3 …"],
  ["-X PUT -d 'green tea'", "/session/values/drink", "any key, as text"],
  ["", "/session/values/drink", "green tea"],
  ["-X POST", "/session/renew", "the same session under a new id"],
  ["-X POST", "/session/slow/1000", "reads, waits a second, writes"],
  ["-X POST", "/session/clear", "no keys; the session lives on"],
  ["-X POST", "/session/flush", "signs out"]
] as const

export const welcome = (origin: string, store: string): string => {
  const lines = routes.map(([options, path, comment]) => {
    const command = ["curl -s -c jar -b jar", options, `${origin}${path}`].filter((part) => part !== "").join(" ")
    return [command, comment] as const
  })
  const width = Math.max(...lines.map(([command]) => command.length))
  return `Sessions in ${store}. Open ${origin}/ in a browser, or try these routes for curl (-i shows the headers):

${lines.map(([command, comment]) => `  ${command.padEnd(width)}  # ${comment}`).join("\n")}

STORE=sqlite npm start swaps the store (memory, cookie, sqlite, files, redis, postgres, mysql). Ctrl-C stops.`
}
