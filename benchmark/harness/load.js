/**
 * Load over HTTP. The time per request is the CPU time of the server's own process, so that a slower load does not show as a
 * faster server.
 */
import { startChild } from "./child.js"
import { loadCore } from "./cores.js"

/** How many browsers visit a server at once. */
export const browserCount = 32

/** The process of `browsers.js`, on a core of its own. */
export const startLoad = () => {
  const child = startChild({ core: loadCore, script: "harness/browsers.js" })
  /** Throws when a single request fails or does not count: a server that answers 500 is fast. */
  const load = async (task) => {
    const result = await child.ask(task)
    if (result.failed !== undefined) throw new Error(result.failed)
    return result
  }
  return { load, stop: child.stop }
}
