/** Redis servers of the tests' own: on a free port of loopback, in a directory of their own. */
import * as Effect from "effect/Effect"
import { Redis, type RedisOptions } from "ioredis"
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Service } from "../services.js"

const command = process.env.REDIS_SERVER ?? "redis-server"
const version = spawnSync(command, ["--version"])

/** Not a server that runs, but one that can be started; `REDIS_SERVER` names another program, as `valkey-server`. */
export const redisServer: Service = {
  name: command,
  url: "",
  available: version.status === 0,
  reason: version.status === 0 ? "" : `${command} cannot be started`
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  if (address === null || typeof address === "string") throw new Error("no port")
  return address.port
}

export class Server {
  private process: ReturnType<typeof spawn> | undefined

  private constructor(
    readonly port: number,
    readonly directory: string,
    private readonly options: ReadonlyArray<string>
  ) {}

  static async start(...options: ReadonlyArray<string>): Promise<Server> {
    const server = new Server(await freePort(), await mkdtemp(join(tmpdir(), "effect-session-redis-")), options)
    await server.start()
    return server
  }

  async start(): Promise<void> {
    const child = spawn(command, [
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.directory, "--save", ""],
      ...this.options
    ], { stdio: "ignore" })
    this.process = child
    await this.admin((client) => client.ping())
  }

  /** Runs as an operator would, on a connection of its own; waits for the server to be there. */
  async admin<A>(use: (client: Redis) => Promise<A>, options: RedisOptions = {}): Promise<A> {
    const client = new Redis({
      port: this.port,
      host: "127.0.0.1",
      retryStrategy: () => 20,
      maxRetriesPerRequest: 500,
      ...options
    })
    client.on("error", () => {})
    try {
      return await use(client)
    } finally {
      client.disconnect()
    }
  }

  signal(signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.process?.kill(signal)
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    const child = this.process
    this.process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, "exit")
    child.kill("SIGKILL")
    await exit
  }

  async stop(): Promise<void> {
    await this.kill()
    await rm(this.directory, { recursive: true, force: true })
  }
}

export const scoped = (...options: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(() => Server.start(...options)),
    (server) => Effect.promise(() => server.stop())
  )
