/**
 * `npm run example -- opentelemetry`, with a collector that keeps what it is sent.
 */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import { type Running, startExample } from "../support/exampleProcess.js"

const patience = 180_000

describe("the example opentelemetry", () => {
  const received: Record<string, string> = { "/v1/traces": "", "/v1/metrics": "", "/v1/logs": "" }
  const collector = Http.createServer((request, response) => {
    request.setEncoding("utf8")
    request.on("data", (text) => {
      received[request.url ?? ""] += text
    })
    request.on("end", () => response.end("{}"))
  })
  let server: Running
  beforeAll(async () => {
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
    server = await startExample("opentelemetry", {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORT_INTERVAL: "200 millis"
    })
  }, patience)
  afterAll(async () => {
    await server?.stop()
    collector.close()
  }, patience)

  it(
    "R2: the span and the log of a request have its id, the metrics what was looked up, and nothing has the token",
    async () => {
      const url = `${server.origins[0]}/count`
      const first = await fetch(url)
      const cookie = first.headers.getSetCookie()[0].split(";")[0]
      const second = await fetch(url, { headers: { cookie } })
      expect(await second.text()).toBe("2")
      const third = await fetch(url.replace("count", "visits"), { headers: { cookie } })
      expect(await third.text()).toBe("2")
      const id = second.headers.get("x-request-id")!
      expect(id).toHaveLength(36)

      const until = (path: string, ...texts: ReadonlyArray<string>) =>
        expect.poll(() => texts.filter((text) => !received[path].includes(text)), { timeout: patience / 3 }).toEqual([])
      await until("/v1/traces", "\"count a visit\"", "\"kind\":2", id) // the server's span
      await until("/v1/logs", "counted a visit", id)
      await until("/v1/metrics", "effect_session_load_total", "\"Found\"", "\"Absent\"")
      const token = cookie.slice("session=".length)
      expect(token).toHaveLength(43)
      for (const [path, text] of Object.entries(received)) expect([path, text.includes(token)]).toEqual([path, false])
    },
    patience
  )
})
