/**
 * Counts what an untouched request must not do: calls of the store and of node:crypto, Set-Cookie, Vary.
 */
import crypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { answer } from "../harness/answer.js"

let cryptoCalls = {}
for (const [name, { value: original, writable }] of Object.entries(Object.getOwnPropertyDescriptors(crypto))) {
  if (typeof original !== "function" || writable !== true || /^[A-Z]/.test(name)) continue
  crypto[name] = (...args) => {
    cryptoCalls[name] = (cryptoCalls[name] ?? 0) + 1
    return original(...args)
  }
}
syncBuiltinESMExports() // also changes the names that other modules have imported already

const { HttpApp } = await import("@effect/platform")
const apps = await import("../effect/apps.js")

const total = 200

const count = async (app, layer) => {
  const calls = {}
  const { handler } = HttpApp.toWebHandlerLayer(apps.withSession(app), apps.counted(layer, calls))
  const send = (cookie) =>
    handler(
      new Request("http://localhost/", {
        headers: { "x-request-id": "benchmark", ...(cookie === "" ? {} : { cookie }) }
      })
    )
  // A session that exists, if this handler creates one.
  const made = (await send("")).headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")
  for (const name of Object.keys(calls)) delete calls[name]
  cryptoCalls = {}
  let setCookies = 0
  let varies = 0
  for (let i = 0; i < total; i++) {
    const response = await send(made || `session=${"A".repeat(43)}`)
    if (response.status !== 200) throw new Error(`a counted request was answered with ${response.status}`)
    setCookies += response.headers.getSetCookie().length
    if (response.headers.has("vary")) varies++
  }
  return { requests: total, storeCalls: { ...calls }, cryptoCalls: { ...cryptoCalls }, setCookies, varies }
}

answer({
  untouchedMemory: await count(apps.plain(), apps.layerMemory),
  untouchedCookie: await count(apps.plain(), apps.layerCookie),
  countMemory: await count(apps.counting(), apps.layerMemory),
  countCookie: await count(apps.counting(), apps.layerCookie),
  readMemory: await count(apps.reading(), apps.layerMemory),
  writeMemory: await count(apps.writing(), apps.layerMemory)
})
