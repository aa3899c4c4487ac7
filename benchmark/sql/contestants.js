/**
 * One read + one write on a database: by the raw driver, by Effect's `SqlClient` by hand, and by effect-session.
 */
import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as servers from "../effect/servers.js"
import { effects, inFlight, promises } from "../harness/workers.js"
import { databases } from "./databases.js"

/**
 * Each with `run(times)`, for 32 operations at once, and `count(worker)`, which tells how often its counter was raised; and
 * `close`, which ends their connections.
 */
export const open = async (name, address, table) => {
  const database = databases[name]
  const { close, store } = await servers.open(await database.layer(address, table))
  const driver = database.raw(address, table)
  const byClient = await database.client(address, table)

  const create = () =>
    Effect.runPromise(Effect.forEach(Array.from({ length: inFlight }), () => servers.create(store, { count: 0 })))
  const idsOf = async () => (await create()).map((token) => createHash("sha256").update(token).digest("base64url"))
  const [tokens, ids, clientIds] = [await create(), await idsOf(), await idsOf()]

  return {
    contestants: [
      {
        id: "raw",
        run: (times) => promises((worker) => driver.increment(ids[worker]), times),
        count: (worker) => driver.count(ids[worker])
      },
      {
        id: "client",
        run: (times) => effects((worker) => byClient.increment(clientIds[worker]), times),
        count: (worker) => byClient.count(clientIds[worker])
      },
      {
        id: "ours",
        run: (times) => effects((worker) => servers.increment(store, tokens[worker]), times),
        count: (worker) => Effect.runPromise(servers.countOf(store, tokens[worker]))
      }
    ],
    close: async () => {
      await driver.stop()
      await byClient.stop()
      await close()
    }
  }
}
