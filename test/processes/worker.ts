/** One of the processes: waits for the word, then sends all its requests at once. */
import { once } from "node:events"
import { serve } from "./app.js"
import { type Name, storeAt } from "./stores.js"

export interface Job {
  readonly store: Name
  readonly place: string
  readonly url: string
  readonly cookie: string
  readonly paths: ReadonlyArray<string>
}

const { cookie, paths, place, store, url } = JSON.parse(process.argv[2]) as Job
const { dispose, request } = serve(storeAt(store, place, url))
await request("GET", "/user", cookie)
process.stdout.write("ready\n")
await once(process.stdin, "data")
const responses = await Promise.all(paths.map((path) => request("POST", path, cookie)))
const failed = responses.filter(({ status }) => status !== 200)
if (failed.length > 0) throw new Error(`${failed.length} requests failed, the first with ${failed[0].status}`)
await dispose()
process.exit(0)
