/**
 * Shows whose code takes a request's time and memory, over the web handlers of `../effect/apps.js`:
 * `node profile.js <requests for the memory> <requests for the time>`.
 */
import { HttpApp } from "@effect/platform"
import { Layer } from "effect"
import * as apps from "../effect/apps.js"
import { answer } from "../harness/answer.js"
import { allocated, each, startTiming } from "../harness/profile.js"

const [forMemory, forTime] = process.argv.slice(2).map(Number)
const url = "http://localhost/"

const makers = {
  bare: [apps.plain(), Layer.empty],
  requestId: [apps.withRequestId(apps.plain()), Layer.empty],
  untouchedMemory: [apps.withSession(apps.plain()), apps.layerMemory],
  countMemory: [apps.withSession(apps.counting()), apps.layerMemory],
  countCookie100: [apps.withSession(apps.counting100()), apps.layerCookie]
}

const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

const prepare = async (name) => {
  const { handler } = HttpApp.toWebHandlerLayer(...makers[name])
  let cookie = cookieOf(await handler(new Request(url))) || `session=${"A".repeat(43)}`
  return async (count) => {
    for (let i = 0; i < count; i++) {
      const response = await handler(new Request(url, { headers: { "x-request-id": "benchmark", cookie } }))
      cookie = cookieOf(response) || cookie
    }
  }
}

const profiles = {}
for (const name of Object.keys(makers)) {
  const run = await prepare(name)
  await run(forMemory)
  const bytes = each(await allocated(() => run(forMemory)), forMemory)
  const stop = await startTiming()
  await run(forTime)
  profiles[name] = { bytes, micros: each(await stop(), forTime) }
}
answer(profiles)
