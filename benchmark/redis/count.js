/**
 * The commands that reach Redis per request, as MONITOR shows them: `node count.js <url>`. What a Lua script runs inside the
 * server is not a command of the client's and is not counted.
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

/** Everything before this mark has been seen. */
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

// One store for all of them: the session that the counting app makes is read and written by the others, too.
const make = (app) => HttpApp.toWebHandlerLayer(apps.withSession(app), layer).handler
const counting = make(apps.counting())
const request = (cookie) => new Request("http://localhost/", { headers: cookie === "" ? {} : { cookie } })
const cookie = cookieOf(await counting(request("")))

const count = async (app) => {
  const handler = make(app)
  await handler(request(cookie)) // the connection, and the scripts that are sent once
  await settle()
  commands = []
  for (let i = 0; i < total; i++) {
    const response = await handler(request(cookie))
    if (response.status !== 200) throw new Error(`status ${response.status}`)
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
