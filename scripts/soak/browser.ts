/**
 * One browser of a person: its session cookie, and requests over kept-alive connections that may be aborted on their way.
 */
import { createHash } from "node:crypto"
import * as Http from "node:http"
import type { Script } from "./script.js"

/** How a token is named in a history, which must not hold tokens. */
export const nameOf = (token: string | undefined): string =>
  token === undefined ? "no cookie" : createHash("sha256").update(token).digest("hex").slice(0, 8)

export type SetCookie =
  | { readonly _tag: "None" }
  | { readonly _tag: "Remove" }
  | { readonly _tag: "Set"; readonly token: string; readonly persistent: boolean }

/** What the client saw of a response: nothing, its head, or all of it. */
export interface Reply {
  readonly at: number
  readonly port: number | undefined
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly cookie: SetCookie | undefined
  readonly body: string | undefined
  /** it was not complete in a minute, and the client gave up */
  readonly overdue: boolean
}

/** In seconds that a timer counts: on a busy machine this process may stand still for as long. */
const patience = 60

export class Browser {
  token: string | undefined
  /** those that it has had before, the latest first */
  old: ReadonlyArray<string> = []

  constructor(private readonly origin: string, private readonly agent: Http.Agent) {}

  /** `token` in place of the browser's own: the answer does not change what the browser holds then. */
  send(nonce: string, script: Script, abortAfter: number | undefined, token?: string): Promise<Reply> {
    const isOwn = token === undefined
    const sent = isOwn ? this.token : token
    return new Promise((resolve) => {
      const at = Date.now()
      let reply: Reply = {
        at,
        port: undefined,
        status: undefined,
        requestId: undefined,
        cookie: undefined,
        body: undefined,
        overdue: false
      }
      const request = Http.request(this.origin, {
        method: "POST",
        agent: this.agent,
        headers: {
          "x-request-id": nonce,
          "content-type": "application/json",
          ...(sent === undefined ? {} : { cookie: `__Host-session=${sent}` })
        }
      })
      request.on("socket", (socket) => {
        const connected = () => reply = { ...reply, port: socket.localPort }
        if (socket.connecting) socket.once("connect", connected)
        else connected()
      })
      request.on("response", (response) => {
        const cookie = cookieIn(response.headers["set-cookie"])
        const requestId = response.headers["x-request-id"]
        reply = { ...reply, status: response.statusCode, requestId: String(requestId), cookie }
        if (isOwn) this.keep(cookie)
        let body = ""
        response.setEncoding("utf8")
        response.on("data", (part) => body += part)
        response.on("end", () => reply = { ...reply, body })
        response.on("error", () => undefined) // what came is what counts
      })
      request.on("error", () => undefined)
      request.on("close", () => {
        clearTimeout(timer)
        resolve(reply)
      })
      let seconds = 0
      const timer = abortAfter === undefined
        ? setInterval(() => {
          if (++seconds < patience) return
          reply = { ...reply, overdue: true }
          request.destroy()
        }, 1000)
        : setTimeout(() => request.destroy(), abortAfter)
      request.end(JSON.stringify(script))
    })
  }

  private keep(cookie: SetCookie): void {
    if (cookie._tag === "None") return
    const next = cookie._tag === "Set" ? cookie.token : undefined
    if (this.token !== undefined && this.token !== next) this.old = [this.token, ...this.old].slice(0, 5)
    this.token = next
  }
}

const cookieIn = (headers: ReadonlyArray<string> | undefined): SetCookie => {
  const own = headers?.find((header) => header.startsWith("__Host-session="))
  if (own === undefined) return { _tag: "None" }
  const [pair, ...attributes] = own.split("; ")
  const maxAge = attributes.find((attribute) => attribute.startsWith("Max-Age="))
  return maxAge === "Max-Age=0"
    ? { _tag: "Remove" }
    : { _tag: "Set", token: pair.slice("__Host-session=".length), persistent: maxAge !== undefined }
}
