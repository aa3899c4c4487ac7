/**
 * Counts the statements that reach the driver per request: `node count.js <database> <address> <table>`.
 */
import { HttpApp } from "@effect/platform"
import * as apps from "../effect/apps.js"
import { answer } from "../harness/answer.js"
import { databases } from "./databases.js"

const [name, address, table] = process.argv.slice(2)
const total = 50

let statements = []
databases[name].watch((text) => statements.push(text))

const layer = await databases[name].layer(address, table)
const make = (app) => HttpApp.toWebHandlerLayer(apps.withSession(app), layer).handler
const request = (cookie) => new Request("http://localhost/", { headers: cookie === "" ? {} : { cookie } })
const cookie = (await make(apps.counting())(request(""))).headers.getSetCookie().map((line) => line.split(";")[0]).join(
  "; "
)

const count = async (app) => {
  const handler = make(app)
  await handler(request(cookie)) // opens the connection and runs the statements that are needed once
  statements = []
  for (let i = 0; i < total; i++) {
    const response = await handler(request(cookie))
    if (response.status !== 200) throw new Error(`a counted request was answered with ${response.status}`)
  }
  return { perRequest: statements.length / total, names: [...new Set(statements.map((text) => text.split(" ")[0]))] }
}

answer({
  untouched: await count(apps.plain()),
  read: await count(apps.reading()),
  readAndWrite: await count(apps.counting()),
  writeOnly: await count(apps.writing()),
  modify: await count(apps.modifying())
})
