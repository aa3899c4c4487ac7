/**
 * A client that has gone by the time that its response is ready. The platform's Node server sends a body by waiting for the end
 * of the write, which never comes on a connection that can no longer be written to: the fiber of such a request would never
 * end, nor would anything that it holds. A response without a body is sent without waiting, unless it answers a HEAD.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

type Response = HttpServerResponse.HttpServerResponse

const noBody = HttpServerResponse.empty().body

/**
 * Asks the connection, and not whether the fiber was interrupted: Node ends its side of a connection as soon as it has read
 * that the client has closed the other one, and reports the close to the platform in a later turn of its event loop. Other
 * hosts wait for nothing, and their requests have no socket.
 */
const isGone = ({ source }: HttpServerRequest): boolean =>
  (source as { readonly socket?: { readonly writable?: boolean } }).socket?.writable === false

/** What the platform's Node server sends with; it sends nothing more once that has ended. */
const end = (request: HttpServerRequest): void => {
  const { response } = request as { readonly response?: { readonly end?: () => void } }
  response?.end?.()
}

/** The response as it is, or without its body where nobody receives it. A stream notices by itself. */
export const withoutBodyIfGone = (request: HttpServerRequest, response: Response): Response => {
  if (!isGone(request) || response.body._tag === "Stream") return response
  if (request.method === "HEAD") end(request)
  return HttpServerResponse.setBody(response, noBody)
}
