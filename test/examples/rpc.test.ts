/**
 * `npm run example -- rpc` and its client, as processes.
 */
import { expect, it } from "@effect/vitest"
import { runExample, startExample } from "../support/exampleProcess.js"

const patience = 180_000

it("U3: the client of the example rpc is nobody, is refused, signs in with its count, and signs out", async () => {
  const server = await startExample("rpc")
  try {
    const { code, lines } = await runExample("rpc/client", { URL: server.origins[0] })
    expect([lines, code]).toEqual([
      [
        "before the sign-in: nobody",
        "a wrong password: refused",
        "after the sign-in: Ada, with the count at 2",
        "after the sign-out: nobody, with the count at 1"
      ],
      0
    ])
  } finally {
    await server.stop()
  }
}, patience)

it("an example that does not exist is refused, with the names of those that do", async () => {
  for (const name of ["", "nonsense", "../scripts", "web/../../scripts/lines", "rpc/nonsense"]) {
    const { code, lines } = await runExample(name)
    expect([name, code]).toEqual([name, 1])
    expect(lines[0]).toMatch(
      /^There is no example ".*"\. The examples are better-auth, http-api, opentelemetry, rpc, .*, web\.$/
    )
  }
}, patience)
