/**
 * A cookie jar, as far as a counter needs one: it keeps what Set-Cookie sets and drops what Set-Cookie expires.
 */

/** `stored` is what `entries()` of another jar returned. */
export const makeJar = (stored = []) => {
  const cookies = new Map(stored)
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
  return { header, take, entries: () => [...cookies] }
}
