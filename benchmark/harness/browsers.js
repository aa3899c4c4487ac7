/**
 * The process that puts a server under load: browsers, each with a connection and a cookie jar of its own, each sending one
 * request at a time. A request that reads a counter and writes it back therefore never meets another one of its session.
 *
 * Asked `{ url, headers, seconds, browsers }` over the IPC channel, where `browsers` are the states of `browser.js`, it
 * answers with what it measured and the browsers' new states, or with `{ failed }`. It sends nothing new when the time is
 * up and waits for the answers that are still to come, so that the server has spent its CPU time on counted requests alone.
 *
 * It speaks HTTP over a socket by itself, because the load must cost less than the barest server does, or that server waits
 * for the load. The results say what a request costs here (`loadMicros`). Clients with more comfort cost several times as
 * much.
 */
import { connect } from "node:net"
import { makeJar } from "./jar.js"

const patienceMillis = 60_000

/** The parts of an answer once all of it is there, else undefined. */
const parse = (text) => {
  const headEnds = text.indexOf("\r\n\r\n")
  if (headEnds === -1) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)
  if (length === null || length.index > headEnds) throw new Error("the server sent an answer without Content-Length")
  const ends = headEnds + 4 + Number(length[1])
  if (text.length < ends) return undefined
  if (text.length > ends) throw new Error("the server sent more than the answer to one request")
  return { status: Number(text.slice(9, 12)), head: text.slice(0, headEnds), body: text.slice(headEnds + 4) }
}

const setCookie = /\r\nset-cookie: *([^\r]*)/gi

/** One browser until `endsAt`; adds the milliseconds of each request to `latencies`. */
const browse = ({ cookies, visits }, { endsAt, headers, url }, latencies) =>
  new Promise((resolve, reject) => {
    const jar = makeJar(cookies)
    const { host, hostname, pathname, port } = new URL(url)
    const head = `GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\n`
      + Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
    const makeRequest = () => {
      const cookie = jar.header()
      return cookie === "" ? `${head}\r\n` : `${head}cookie: ${cookie}\r\n\r\n`
    }
    let request = makeRequest()
    let received = ""
    let startedAt = 0

    const send = () => {
      startedAt = performance.now()
      socket.write(request, "latin1")
    }
    const read = (answer) => {
      if (answer.status !== 200) throw new Error(`the server answered ${answer.status} ${answer.body}`)
      if (visits !== undefined && answer.body !== String(++visits)) {
        throw new Error(`visit ${visits} of a browser was answered with the count ${answer.body}`)
      }
      let changed = false
      for (const [, line] of answer.head.matchAll(setCookie)) {
        jar.take(line)
        changed = true
      }
      if (changed) request = makeRequest()
    }
    const finish = () => {
      socket.removeAllListeners("close")
      socket.destroy()
      resolve({ cookies: jar.entries(), visits })
    }
    const receive = (size, buffer) => {
      const text = buffer.latin1Slice(0, size)
      received = received === "" ? text : received + text
      try {
        const answer = parse(received)
        if (answer === undefined) return
        const now = performance.now()
        received = ""
        latencies.push(now - startedAt)
        read(answer)
        if (now < endsAt) send()
        else finish()
      } catch (error) {
        socket.destroy(error)
      }
    }
    // Read into a buffer of its own and not through the socket's stream, whose events cost a quarter of a request.
    const onread = { buffer: Buffer.allocUnsafe(16_384), callback: receive }
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    socket.on("connect", send)
    socket.on("error", reject)
    socket.on("close", () => reject(new Error("the server closed a connection that was to be kept")))
    socket.setTimeout(patienceMillis, () => socket.destroy(new Error(`no answer within ${patienceMillis / 1000} s`)))
  })

const load = async ({ browsers, headers, seconds, url }) => {
  const latencies = []
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const visit = { url, headers, endsAt: startedAt + seconds * 1000 }
  const after = await Promise.all(browsers.map((browser) => browse(browser, visit, latencies)))
  const took = (performance.now() - startedAt) / 1000
  const { system, user } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  return {
    requests: latencies.length,
    seconds: took,
    p99Millis: latencies[Math.floor(latencies.length * 0.99)],
    loadMicros: (user + system) / latencies.length,
    browsers: after
  }
}

process.on("message", async (task) => {
  process.send(await load(task).catch((error) => ({ failed: error.message })))
})

process.on("disconnect", () => process.exit(0))
