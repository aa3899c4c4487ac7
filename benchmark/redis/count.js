/**
 * Counts the commands that reach Redis per request, as MONITOR shows them: `node count.js <url>`. Commands that a Lua script
 * runs inside the server are not sent by the client and are not counted.
 */
import { HttpApp } from "@effect/platform"
import { Redis } from "ioredis"
import * as apps from "../effect/apps.js"
import * as servers from "../effect/servers.js"
import { answer } from "../harness/answer.js"

const url = process.argv[2]
const total = 50

const client = new Redis(url)
const monitor = await new Redis(url).monitor()
let commands = []
monitor.on("monitor", (_time, args, source) => {
  if (source !== "lua") commands.push(args[0].toLowerCase())
})

/** Waits until MONITOR has shown everything that was sent before. */
const settle = () =>
  new Promise((resolve) => {
    const mark = `mark-${Math.random()}`
    const listen = (_time, args) => {
      if (args[1] !== mark) return
      monitor.off("monitor", listen)
      resolve()
    }
    monitor.on("monitor", listen)
    client.echo(mark)
  })

const layer = await servers.redis(url)

const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")

// All apps use one store, because they read and write the session that the counting app creates.
const make = (app) => HttpApp.toWebHandlerLayer(apps.withSession(app), layer).handler
const counting = make(apps.counting())
const request = (cookie) => new Request("http://localhost/", { headers: cookie === "" ? {} : { cookie } })
const cookie = cookieOf(await counting(request("")))

const count = async (app) => {
  const handler = make(app)
  await handler(request(cookie)) // opens the connection and sends the scripts, once
  await settle()
  commands = []
  for (let i = 0; i < total; i++) {
    const response = await handler(request(cookie))
    if (response.status !== 200) throw new Error(`a counted request was answered with ${response.status}`)
  }
  await settle()
  const sent = commands.filter((name) => name !== "echo")
  return { perRequest: sent.length / total, names: [...new Set(sent)] }
}

answer({
  untouched: await count(apps.plain()),
  read: await count(apps.reading()),
  readAndWrite: await count(apps.counting()),
  writeOnly: await count(apps.writing()),
  modify: await count(apps.modifying())
})
