/**
 * A browser, as far as a counter needs one: keeps what Set-Cookie says, drops what it ends.
 */
export const makeJar = () => {
  const cookies = new Map()
  const header = () => [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
  const take = (line) => {
    const [pair, ...attributes] = line.split(";")
    const name = pair.slice(0, pair.indexOf("=")).trim()
    const gone = attributes.some((attribute) => {
      const [key, value] = attribute.split("=")
      if (/^\s*max-age$/i.test(key)) return Number(value) <= 0
      return /^\s*expires$/i.test(key) && Date.parse(value) <= Date.now()
    })
    if (gone) cookies.delete(name)
    else cookies.set(name, pair.slice(pair.indexOf("=") + 1).trim())
  }
  const get = async (url) => {
    const response = await fetch(url, {
      headers: cookies.size === 0 ? {} : { cookie: header() },
      signal: AbortSignal.timeout(10_000)
    })
    const set = response.headers.getSetCookie()
    set.forEach(take)
    return { status: response.status, body: await response.text(), setCookies: set.length }
  }
  return { get, header }
}
