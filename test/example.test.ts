/**
 * The running example, as `npm start` runs it: a process of its own, real sockets, an independent browser's cookie jar.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { watch } from "node:fs"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import { CookieJar } from "tough-cookie"
import { originOf } from "../examples/web/origin.js"
import { routes } from "../examples/web/routes/seed.js"
import { welcome } from "../examples/web/welcome.js"
import { tcpAddress, unixAddress } from "./support/addresses.js"
import { type Example, root, start } from "./support/example.js"

/** A browser's jar that is none of ours. */
const browser = (origin: string) => {
  const jar = new CookieJar()
  const request = async (method: string, path: string, body?: string) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { cookie: await jar.getCookieString(origin + path) },
      redirect: "manual",
      ...(body === undefined ? {} : { body })
    })
    for (const cookie of response.headers.getSetCookie()) await jar.setCookie(cookie, origin + path)
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  return { jar, request }
}

/** A copy of what the example needs, so that it can make its key where no other test sees it. */
const copy = async (): Promise<string> => {
  const directory = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-session-example-"))
  for (const name of ["examples", "config", "package.json"]) {
    await Fs.cp(Path.join(root, name), Path.join(directory, name), {
      recursive: true,
      filter: (source) => !source.endsWith(".key")
    })
  }
  await Fs.symlink(Path.join(root, "node_modules"), Path.join(directory, "node_modules"))
  return directory
}

for (const store of ["cookie", "memory"]) {
  describe(`the example, STORE=${store}`, () => {
    let server: Example
    beforeAll(async () => {
      server = await start({ STORE: store })
    }, 60_000)
    afterAll(() => server.stop())

    it("F1: the seed's routes work with a browser's cookie jar", async () => {
      const { request } = browser(server.origin)
      expect(await request("GET", "/session")).toMatchObject({ status: 200, text: "" })
      expect(await request("POST", "/session")).toMatchObject({ status: 200, text: "turing" })
      expect(await request("GET", "/session")).toMatchObject({ status: 200, text: "turing" })
      expect(await request("DELETE", "/session")).toMatchObject({ status: 200, text: "turing" })
      expect(await request("GET", "/session")).toMatchObject({ status: 200, text: "" })
      expect(await request("DELETE", "/session")).toMatchObject({ status: 200, text: "" })
    })

    it("C5: after logging out the session is empty", async () => {
      const { jar, request } = browser(server.origin)
      await request("POST", "/session")
      await request("PUT", "/session/values/drink", "green tea")
      expect((await request("GET", "/session/values/drink")).text).toBe("green tea")
      await request("POST", "/session/flush")
      expect(await jar.getCookies(server.origin)).toEqual([])
      expect(await request("GET", "/session/values/drink")).toMatchObject({ status: 404, text: "" })
    })

    it("C6: a clear, or the removal of the last key, reaches the browser", async () => {
      const { request } = browser(server.origin)
      await request("POST", "/session")
      await request("POST", "/session/clear")
      expect((await request("GET", "/session")).text).toBe("")
      await request("POST", "/session")
      await request("DELETE", "/session")
      expect((await request("GET", "/session")).text).toBe("")
    })

    it("C10: renew keeps the data under a new cookie", async () => {
      const { jar, request } = browser(server.origin)
      await request("POST", "/session")
      const before = await jar.getCookieString(server.origin)
      await request("POST", "/session/renew")
      expect(await jar.getCookieString(server.origin)).not.toBe(before)
      expect((await request("GET", "/session")).text).toBe("turing")
    })

    it("C9: each visit adds one to the count", async () => {
      const { request } = browser(server.origin)
      for (let visit = 1; visit <= 5; visit++) expect((await request("GET", "/session/count")).text).toBe(`${visit}`)
    })

    it("C2: a value that does not decode gives a 409 that names its key, and the page still shows the value", async () => {
      const { request } = browser(server.origin)
      await request("GET", "/session/count")
      const response = await request("GET", "/session/values/count")
      expect(response.status).toBe(409)
      expect(response.text).toContain("\"count\"")
      expect((await request("GET", "/")).text).toContain("count")
    })

    it("K6: a body over 64 KiB, or a session over its store's limit, gives a 413, and nothing is lost", async () => {
      const { request } = browser(server.origin)
      await request("POST", "/session")
      expect((await request("PUT", "/session/values/big", "x".repeat(64 * 1024 + 1))).status).toBe(413)
      const atMost = await request("PUT", "/session/values/big", "x".repeat(64 * 1024))
      expect(atMost.status).toBe(store === "cookie" ? 413 : 200)
      expect((await request("GET", "/session")).text).toBe("turing")
    })

    it("C8: any key is served as text with nosniff, and the page escapes keys and values", async () => {
      const { request } = browser(server.origin)
      for (const name of ["__proto__", "constructor", "<script>alert(1)</script>", "ключ", "a b&c=d"]) {
        const path = `/session/values/${encodeURIComponent(name)}`
        expect(await request("PUT", path, `"><img src=x> ${name}`)).toMatchObject({ status: 200 })
        const response = await request("GET", path)
        expect(response).toMatchObject({ status: 200, text: `"><img src=x> ${name}` })
        expect(response.headers.get("x-content-type-options")).toBe("nosniff")
        expect(response.headers.get("content-type")).toMatch(/^text\/plain/)
      }
      const page = (await request("GET", "/")).text
      expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;")
      expect(page).not.toContain("<script>alert")
      expect(page).not.toContain("<img")
    })

    it("S2: a slow writer brings a sealed session back after a logout, and no session in memory", async () => {
      const { jar, request } = browser(server.origin)
      await request("POST", "/session")
      const cookie = await jar.getCookieString(server.origin)
      const slow = fetch(`${server.origin}/session/slow/300`, { method: "POST", headers: { cookie } })
      await new Promise((resolve) => setTimeout(resolve, 100))
      await request("POST", "/session/flush")
      const late = await slow
      expect(late.status).toBe(200)
      const read = (value: string) => fetch(`${server.origin}/session`, { headers: { cookie: value } })
      if (store === "memory") {
        expect(late.headers.getSetCookie()).toEqual([])
        expect(await (await read(cookie)).text()).toBe("")
      } else {
        // what a cookie store cannot promise: the slow writer's seal signs in again
        expect(late.headers.getSetCookie()).toHaveLength(1)
        expect(await (await read(late.headers.getSetCookie()[0].split(";")[0])).text()).toBe("turing")
      }
    })

    it("M6: a hostile cookie is an empty session and never a 500", async () => {
      const { jar, request } = browser(server.origin)
      await request("POST", "/session")
      const cookie = await jar.getCookieString(server.origin)
      const value = cookie.slice("session=".length)
      for (
        const hostile of [
          "",
          value.slice(0, -1),
          value.slice(0, 20),
          `${value}A`,
          value.replace(/[a-z]/, (letter) => letter === "a" ? "b" : "a"),
          value.toUpperCase(),
          "A".repeat(8_000),
          "%00%01",
          "../../etc/passwd",
          "' OR 1=1 --",
          "{\"alan\":\"turing\"}"
        ]
      ) {
        const response = await fetch(`${server.origin}/session`, { headers: { cookie: `session=${hostile}` } })
        expect([hostile.slice(0, 30), response.status, await response.text()]).toEqual([hostile.slice(0, 30), 200, ""])
      }
      // another cookie's value under our name, and ours under another
      const swapped = await fetch(`${server.origin}/session`, { headers: { cookie: `session2=${value}` } })
      expect(await swapped.text()).toBe("")
    })

    it("R3: the response of a path without a route has the request id", async () => {
      const { headers, status } = await browser(server.origin).request("GET", "/nowhere")
      expect(status).toBe(404)
      expect(headers.get("x-request-id")).toHaveLength(36)
    })
  })
}

describe("what the example prints", () => {
  const text = welcome("http://127.0.0.1:3000", "memory")

  it("F1: the example prints a line to try for each of its routes for curl", () => {
    const paths = routes.map(({ method, path }) => {
      const options =
        { GET: "", POST: "-X POST ", DELETE: "-X DELETE ", PUT: "-X PUT -d 'green tea' " }[method as string]
      return `jar ${options}http://127.0.0.1:3000${path.replace(":name", "drink").replace(":ms", "1000")} `
    })
    expect(paths).toHaveLength(10)
    for (const path of paths) expect(text).toContain(path)
  })

  it("F1: the printed address works in a browser, with IPv6 too", () => {
    expect(originOf(tcpAddress("127.0.0.1", 3000))).toBe("http://127.0.0.1:3000")
    expect(originOf(tcpAddress("::1", 3000))).toBe("http://[::1]:3000")
    expect(new URL(originOf(tcpAddress("::", 80))).hostname).toBe("[::]")
    expect(originOf(unixAddress("/run/shop.sock"))).toBe("unix:///run/shop.sock")
  })

  it("F1: the lines keep the cookies in a file that is called jar", () => {
    expect(text).toContain("-c jar -b jar")
  })
})

describe("the example as a process", () => {
  it("S4: after Ctrl-C the requests in flight finish with their commit, and then the process exits", async () => {
    const server = await start({ STORE: "memory" })
    const slow = fetch(`${server.origin}/session/slow/500`, { method: "POST" })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const stopped = server.stop("SIGINT")
    const response = await slow
    expect([response.status, await response.text()]).toEqual([200, "waited 500 ms"])
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect([0, 130]).toContain(await stopped) // in Effect 4 the code says that it was interrupted
    expect(server.output()).toContain("waiting for requests in flight (Ctrl-C again to stop at once)")
  }, 60_000)

  it("S4: a second Ctrl-C stops the process at once", async () => {
    const server = await start({ STORE: "memory" })
    const slow = fetch(`${server.origin}/session/slow/50000`, { method: "POST" }).catch(() => "cut off")
    await new Promise((resolve) => setTimeout(resolve, 200))
    const stopped = server.stop("SIGINT")
    while (!server.output().includes("Ctrl-C again")) await new Promise((resolve) => setTimeout(resolve, 20))
    void server.stop("SIGINT")
    expect(await stopped).toBe(130)
    expect(await slow).toBe("cut off")
  }, 40_000)

  it("F3: a start that fails because its configuration file is missing creates no key", async () => {
    const directory = await copy()
    await expect(start({ NODE_ENV: "production", STORE: "cookie" }, directory)).rejects.toThrow(
      /production\.yaml: cannot be read \(ENOENT\)/
    )
    expect(await Fs.readdir(Path.join(directory, "config"))).toEqual(["development.yaml"])
    await Fs.rm(directory, { recursive: true })
  }, 60_000)

  it("K2: two first starts at the same time end with one key, which only its owner can read", async () => {
    const directory = await copy()
    const [one, two] = await Promise.all([start({ STORE: "cookie" }, directory), start({ STORE: "cookie" }, directory)])
    const { jar, request } = browser(one.origin)
    await request("POST", "/session")
    const cookie = await jar.getCookieString(one.origin)
    expect(await (await fetch(`${two.origin}/session`, { headers: { cookie } })).text()).toBe("turing")
    await Promise.all([one.stop(), two.stop()])
    const files = (await Fs.readdir(Path.join(directory, "config"))).sort()
    expect(files).toEqual(["development.key", "development.yaml"])
    const key = Path.join(directory, "config", "development.key")
    expect((await Fs.stat(key)).mode & 0o777).toBe(0o600)
    const text = await Fs.readFile(key, "utf8")
    for (const server of [one, two]) expect(server.output()).not.toContain(text)
    await Fs.rm(directory, { recursive: true })
  }, 60_000)

  it("K2: the key is never in a file that Git would add, not even before it is complete", async () => {
    const directory = await copy()
    const seen = new Set<string>()
    const watcher = watch(Path.join(directory, "config"), (_, name) => void seen.add(name ?? ""))
    await (await start({ STORE: "cookie" }, directory)).stop()
    watcher.close()
    expect(seen.size).toBeGreaterThan(1) // the key under two names
    for (const name of seen) expect(name).toMatch(/\.key$/)
    await Fs.rm(directory, { recursive: true })
  }, 60_000)

  it("K2: a key file that others can read is refused, with the remedy", async () => {
    const directory = await copy()
    const key = Path.join(directory, "config", "development.key")
    const text = Buffer.alloc(64, "secret").toString("base64")
    await Fs.writeFile(key, text)
    for (const mode of [0o666, 0o640, 0o604, 0o620]) {
      await Fs.chmod(key, mode)
      const failed = await start({ STORE: "cookie" }, directory).then(
        () => "it started",
        (error: Error) => error.message
      )
      expect(failed).toMatch(/development\.key: can be read or changed by other users .*chmod 600/)
      expect(failed).not.toContain(text)
    }
    await Fs.chmod(key, 0o600)
    await (await start({ STORE: "cookie" }, directory)).stop()
    await Fs.rm(directory, { recursive: true })
  }, 120_000)

  it("F3: an unknown store is refused, with what is accepted", async () => {
    await expect(start({ STORE: "nonsense" })).rejects.toThrow(/STORE/)
  }, 60_000)
})
