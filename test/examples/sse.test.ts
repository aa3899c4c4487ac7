/**
 * `npm run example -- sse` as a process: streams that end when the user signs out somewhere else.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { WebSocket } from "undici"
import { type Running, startExample } from "../support/exampleProcess.js"

const patience = 180_000

describe("the example sse", () => {
  let server: Running
  let origin: string
  beforeAll(async () => {
    server = await startExample("sse")
    origin = server.origins[0]
  }, patience)
  afterAll(() => server?.stop(), patience)

  const post = (path: string, cookie = "") =>
    fetch(origin + path, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, "sec-fetch-site": "same-origin" }
    })

  const signIn = async () => {
    const response = await post("/sign-in")
    expect(response.status).toBe(303)
    return response.headers.getSetCookie()[0].split(";")[0]
  }

  it("C11: the events end with the sign-out of another request, and say so", async () => {
    const cookie = await signIn()
    const response = await fetch(`${origin}/events`, { headers: { cookie } })
    expect(response.headers.get("content-type")).toBe("text/event-stream")
    let text = ""
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      if (text === "") expect((await post("/sign-out", cookie)).status).toBe(303)
      text += chunk.value
    }
    expect(text).toMatch(/^event: tick\ndata: 0 for ada\n\n/)
    expect(text).toMatch(/event: signed-out\ndata: bye\n\n$/)
  }, patience)

  it("C11: the WebSocket answers, and is closed with the sign-out of another request", async () => {
    const cookie = await signIn()
    const socket = new WebSocket(`${origin.replace("http", "ws")}/socket`, { headers: { cookie } })
    const answer = await new Promise((resolve, reject) => {
      socket.onopen = () => socket.send("hello")
      socket.onmessage = ({ data }) => resolve(data)
      socket.onerror = () => reject(new Error("the socket failed"))
    })
    expect(answer).toBe("ada: hello")
    const closed = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve([code, reason])
    })
    expect((await post("/sign-out", cookie)).status).toBe(303)
    expect(await closed).toEqual([4001, "signed out"])
  }, patience)

  it("U1: nobody who has not signed in gets a stream, and no other site opens a socket", async () => {
    expect((await fetch(`${origin}/events`)).status).toBe(401)
    const open = (headers: Record<string, string>) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${origin.replace("http", "ws")}/socket`, { headers })
        socket.onopen = () => {
          socket.close()
          resolve("open")
        }
        socket.onerror = () => resolve("refused")
      })
    expect(await open({})).toBe("refused")
    const cookie = await signIn()
    expect(await open({ cookie, origin: "https://evil.example" })).toBe("refused")
    expect(await open({ cookie, origin })).toBe("open")
  }, patience)
})
