/** An edition in a process of its own: one line of JSON for each visit, and one for its answer. */
import { createInterface } from "node:readline"
import { type Action, type Edition, open, type Place } from "./edition.js"

type Job = { readonly place: Place } | { readonly action: Action; readonly cookie: string }

let edition: Edition | undefined

const answer = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`)

// What the library logs is no answer.
globalThis.console.log = globalThis.console.error

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job
  try {
    if ("place" in job) {
      await edition?.close()
      edition = await open(job.place)
      answer({ answer: null })
    } else answer({ answer: await edition!.visit(job.action, job.cookie) })
  } catch (error) {
    answer({ failed: String(error) })
  }
}
await edition?.close()
process.exit(0)
