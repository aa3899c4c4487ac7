/**
 * The server of one contestant over HTTP, in a process of its own, under the load of browsers.
 */
import { makeBrowser } from "../harness/browser.js"
import { startChild } from "../harness/child.js"
import { serverCore } from "../harness/cores.js"
import { browserCount } from "../harness/load.js"
import { each } from "../harness/profile.js"

const start = async (contestant, { environment, node, place }) => {
  const { env = {}, folder } = contestant.effect === 4 ? place : {}
  const child = startChild({
    core: serverCore,
    node: node.binary,
    folder,
    script: "http/serve.js",
    args: [contestant.module, contestant.variant],
    env: { ...environment, ...env }
  })
  const { port } = await child.receive()
  return { ...child, url: `http://127.0.0.1:${port}/` }
}

const keepsSession = (contestant) => contestant.variant !== "bare" && contestant.holds !== "nothing"

const headers = { "x-request-id": "benchmark" }

/** Visits the server with every browser in turn, by `fetch`; each must see its own counter. Returns their new states. */
const visitInTurn = async (states, url) => {
  const after = []
  for (const state of states) {
    const browser = makeBrowser(state)
    await browser.visit(url, headers)
    after.push(browser.state())
  }
  return after
}

/** Returns browsers that have visited the server in turn and have each seen their own counter go 1, 2, 3. */
const prove = async (contestant, url) => {
  if (!keepsSession(contestant)) {
    const { setCookies } = await makeBrowser().visit(url, headers)
    if (setCookies !== 0) throw new Error("a server without sessions sets a cookie")
    return Array.from({ length: browserCount }, () => ({ cookies: [] }))
  }
  let browsers = Array.from({ length: browserCount }, () => ({ cookies: [], visits: 0 }))
  for (let visit = 1; visit <= 3; visit++) browsers = await visitInTurn(browsers, url)
  return browsers
}

/** Starts a server, lets it prove that it counts, and warms it up. */
export const prepare = async (contestant, settings) => {
  const { load, warmRequests, warmSeconds } = settings
  const server = await start(contestant, settings)
  try {
    let browsers = await prove(contestant, server.url)
    /** Every answer under load must count; afterwards another client checks each counter once more. */
    const measure = async (seconds) => {
      const before = await server.ask("usage")
      const loaded = await load({ url: server.url, headers, browsers, seconds })
      const after = await server.ask("usage")
      browsers = keepsSession(contestant) ? await visitInTurn(loaded.browsers, server.url) : loaded.browsers
      return {
        requests: loaded.requests,
        cpuMicros: (after.cpuMicros - before.cpuMicros) / loaded.requests,
        requestsPerSecond: loaded.requests / loaded.seconds,
        residentMiB: after.residentBytes / 2 ** 20,
        p99Millis: loaded.p99Millis,
        loadMicros: loaded.loadMicros
      }
    }
    // Until the engine has optimised what it will, or for as long as this may take.
    const limit = Date.now() + 5000 * warmSeconds
    for (let warmed = 0; warmed < warmRequests && Date.now() < limit;) warmed += (await measure(warmSeconds)).requests
    /** Microseconds of a request by the owner of the code. */
    const profile = async (seconds) => {
      await server.ask("profile")
      const { requests } = await measure(seconds)
      return each(await server.ask("profiled"), requests)
    }
    return { measure, profile, stop: server.stop }
  } catch (error) {
    await server.stop()
    throw error
  }
}

export const named = (contestant, work) =>
  work.catch((error) => {
    throw new Error(`${contestant.id}: ${error.message}`, { cause: error })
  })
