/**
 * The servers that some tests need. A server that does not answer within a second skips them, with the reason in the
 * title; under `REQUIRE_SERVICES=1` (CI) it fails them.
 *
 * `REDIS_URL`, `POSTGRES_URL` and `MYSQL_URL` point somewhere else than to the standard ports on loopback.
 */
import { connect } from "node:net"
import { describe, test } from "vitest"

export interface Service {
  readonly name: string
  readonly url: string
  readonly available: boolean
  /** why it is not available; empty when it is */
  readonly reason: string
}

const patienceMillis = 1_000

/** Asks what its protocol lets a stranger ask; a port that merely accepts is no answer. */
const probe = (name: string, url: string, hello: Uint8Array | string, known: (answer: Buffer) => boolean) =>
  new Promise<Service>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const settle = (reason: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ name, url, available: reason === "", reason })
    }
    const at = `${name} at ${hostname}:${port}`
    const timer = setTimeout(() => settle(`${at} did not answer within ${patienceMillis} ms`), patienceMillis)
    socket.on(
      "error",
      (error: NodeJS.ErrnoException) => settle(`${at} does not answer: ${error.code ?? error.message}`)
    )
    socket.on("connect", () => socket.write(hello))
    socket.on("data", (answer) => settle(known(answer) ? "" : `${at} does not speak its protocol`))
  })

const sslRequest = Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 47])

/** Redis, Valkey: `+PONG`, or an error (`-NOAUTH …`), which is an answer too. */
const redisAnswer = (answer: Buffer) => answer[0] === 0x2b || answer[0] === 0x2d
/** PostgreSQL answers an SSLRequest with `S` or `N`. */
const postgresAnswer = (answer: Buffer) => answer[0] === 0x53 || answer[0] === 0x4e
/** MySQL and MariaDB greet first: a packet with sequence number 0 and protocol version 10. */
const mysqlAnswer = (answer: Buffer) => answer[3] === 0 && answer[4] === 10

export const [redis, postgres, mysql] = await Promise.all([
  probe("Redis", process.env.REDIS_URL ?? "redis://127.0.0.1:6379", "PING\r\n", redisAnswer),
  probe(
    "PostgreSQL",
    process.env.POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
    sslRequest,
    postgresAnswer
  ),
  probe("MySQL", process.env.MYSQL_URL ?? "mysql://root@127.0.0.1:3306/test", "", mysqlAnswer)
])

/** `describe` for tests that need a service. */
export const describeWith = (service: Service, title: string, body: () => void): void => {
  if (service.available) describe(title, body)
  else if (process.env.REQUIRE_SERVICES === "1") {
    test(`${title}: REQUIRE_SERVICES=1 and ${service.name} is needed`, () => {
      throw new Error(service.reason)
    })
  } else describe.skip(`${title} (skipped: ${service.reason})`, body)
}
