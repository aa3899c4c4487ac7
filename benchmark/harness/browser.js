/**
 * A browser that visits a page with `fetch` and keeps its cookies. Where the page counts visits, `visit` checks the count.
 */
import { makeJar } from "./jar.js"

/** `visits`: how often it has visited a page that counts, or undefined where the page keeps no session. */
export const makeBrowser = ({ cookies = [], visits } = {}) => {
  const jar = makeJar(cookies)
  let counted = visits
  const visit = async (url, headers) => {
    const cookie = jar.header()
    const response = await fetch(url, {
      headers: cookie === "" ? headers : { ...headers, cookie },
      signal: AbortSignal.timeout(10_000)
    })
    const setCookies = response.headers.getSetCookie()
    setCookies.forEach(jar.take)
    const body = await response.text()
    if (response.status !== 200) throw new Error(`the server answered ${response.status} ${body}`)
    if (counted !== undefined && body !== String(++counted)) {
      throw new Error(`visit ${counted} of a browser was answered with the count ${body}`)
    }
    return { setCookies: setCookies.length }
  }
  /** What another process needs to go on as this browser. */
  const state = () => ({ cookies: jar.entries(), visits: counted })
  return { visit, state }
}
