/**
 * A handler may return a web `Response` as it is (`HttpServerResponse.raw(await fetch(…))`). The platform sends its status
 * and loses one side's cookies, cannot set a header where the Response came from `fetch`, and leaves the client of a Node
 * server hanging. Taken apart, it is a response like any other.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"

type Response = HttpServerResponse.HttpServerResponse

/** The response itself, unless its body is a web `Response`. */
export const lift = (response: Response): Response => {
  const { body } = response
  if (body._tag !== "Raw" || !(body.body instanceof globalThis.Response)) return response
  return HttpServerResponse.fromWeb(body.body).pipe(
    HttpServerResponse.setHeaders(response.headers),
    HttpServerResponse.replaceCookies(merged(body.body, response.cookies))
  )
}

/**
 * All cookies of both. The platform keeps cookies in a record by their name; a web `Response` may hold several of one name
 * that differ in Path or Domain, which are different cookies for a browser. Nothing but the key names them apart: what is
 * sent are the record's values.
 */
const merged = (web: globalThis.Response, own: Cookies.Cookies): Cookies.Cookies => {
  const cookies: Record<string, Cookies.Cookie> = {}
  const put = (cookie: Cookies.Cookie) => {
    const isTaken = Object.hasOwn(cookies, cookie.name) && scopeOf(cookies[cookie.name]) !== scopeOf(cookie)
    cookies[isTaken ? keyOf(cookie) : cookie.name] = cookie
  }
  for (const header of web.headers.getSetCookie()) {
    for (const cookie of Object.values(Cookies.fromSetCookie(header).cookies)) put(cookie)
  }
  for (const cookie of Object.values(own.cookies)) put(cookie)
  return Cookies.fromReadonlyRecord(cookies)
}

/** What tells cookies of one name apart for a browser (RFC 6265bis, 5.7). */
export const scopeOf = ({ options }: Cookies.Cookie): string =>
  `${options?.domain?.toLowerCase() ?? ""};${options?.path ?? ""}`

/** The key, in a response's record, of a further cookie of a name that the record holds already. */
export const keyOf = (cookie: Cookies.Cookie): string => `${cookie.name};${scopeOf(cookie)}`

/** The cookie says where it belongs; else it is the browser that decides, by the page's address. */
export const hasScope = ({ options }: Cookies.Cookie): boolean =>
  options?.domain !== undefined || options?.path !== undefined

/** Headers by their names in lower case. */
export type Head = Readonly<Record<string, string>>

const emptyLike = (value: object): object => Object.create(Object.getPrototypeOf(value) as object) as object

/** No headers. */
export const noHead: Head = {}

/**
 * The response with further headers and with other cookies, in one copy; as it is where nothing changes. The platform's
 * combinators copy the headers twice for each header, and once more for the cookies; its class has no constructor that others
 * can call. The headers keep their prototype, by which the platform's loggers know which of them are secrets.
 */
export const withHead = (original: Response, head: Head, cookies?: Cookies.Cookies): Response => {
  if (head === noHead && cookies === undefined) return original
  const response = lift(original)
  const headers = Object.assign(emptyLike(response.headers), response.headers, head)
  return Object.assign(emptyLike(response), response, { headers, cookies: cookies ?? response.cookies })
}
