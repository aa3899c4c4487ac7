/** An edition in a process of its own: one line of JSON for each visit, and one for its answer. */
import { createInterface } from "node:readline"
import { type Action, type Edition, open, type Place } from "./edition.js"

type Job = { readonly place: Place } | { readonly action: Action; readonly cookie: string }

let edition: Edition | undefined

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job
  try {
    if ("place" in job) {
      await edition?.close()
      edition = await open(job.place)
      console.log(JSON.stringify({ answer: null }))
    } else console.log(JSON.stringify({ answer: await edition!.visit(job.action, job.cookie) }))
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error) }))
  }
}
await edition?.close()
process.exit(0)
