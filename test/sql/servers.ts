/**
 * A PostgreSQL and a MariaDB of the test's own, on a free port of loopback and in a directory that goes with them: they can
 * be killed in the middle of work and started again on what they left.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Service } from "../services.js"
import type { Place } from "./place.js"

export interface Server {
  readonly place: Place
  /** SIGKILL, for the server and all its children */
  readonly kill: () => Promise<void>
  /** waits until it accepts connections */
  readonly start: () => Promise<void>
}

const postgresDirectories = existsSync("/usr/lib/postgresql")
  ? readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`).reverse()
  : []

const directories = [...postgresDirectories, ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]

const find = (...names: ReadonlyArray<string>): string | undefined =>
  names.flatMap((name) => directories.map((directory) => join(directory, name))).find((path) => existsSync(path))

/** Neither server runs as root. */
const userOf = (name: string): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

interface Kind {
  readonly name: string
  readonly user: string
  readonly programs: ReadonlyArray<string | undefined>
  readonly initialise: (directory: string) => readonly [program: string, ...options: ReadonlyArray<string>]
  readonly serve: (directory: string, port: number) => readonly [program: string, ...options: ReadonlyArray<string>]
  readonly place: (port: number) => Place
}

const initdb = find("initdb")
const postgres = find("postgres")
const installDb = find("mariadb-install-db", "mysql_install_db")
const mariadbd = find("mariadbd", "mysqld")

const postgresKind: Kind = {
  name: "a PostgreSQL server of its own (initdb and postgres)",
  user: "postgres",
  programs: [initdb, postgres],
  initialise: (directory) => [initdb!, "-D", directory, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
  serve: (directory, port) => [postgres!, "-D", directory, "-p", String(port), "-h", "127.0.0.1", "-k", directory],
  place: (port) => ({ dialect: "pg", url: `postgres://postgres@127.0.0.1:${port}/postgres` })
}

const mariadbKind: Kind = {
  name: "a MariaDB server of its own (mariadb-install-db and mariadbd)",
  user: "mysql",
  programs: [installDb, mariadbd],
  initialise: (
    directory
  ) => [installDb!, "--no-defaults", `--datadir=${directory}`, "--auth-root-authentication-method=normal"],
  serve: (directory, port) => [
    mariadbd!,
    "--no-defaults",
    `--datadir=${directory}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--socket=${join(directory, "socket")}`,
    `--pid-file=${join(directory, "pid")}`
  ],
  place: (port) => ({ dialect: "mysql", url: `mysql://root@127.0.0.1:${port}/test` })
}

const serviceOf = ({ name, programs, user }: Kind): Service => {
  let reason = programs.includes(undefined) ? `${name} is not installed` : ""
  try {
    userOf(user)
  } catch {
    reason = `${name} has no user ${user} to run as`
  }
  return { name, url: "", available: reason === "", reason }
}

const make = (kind: Kind): Effect.Effect<Server, never, Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = mkdtempSync(join(tmpdir(), "effect-session-"))
      const user = userOf(kind.user)
      if (user.uid !== undefined) chownSync(directory, user.uid, user.gid!)
      const [program, ...options] = kind.initialise(directory)
      execFileSync(program, options, { ...user, cwd: directory, stdio: "pipe" })
      const port = await freePort()
      let child: ChildProcess | undefined
      const kill = async () => {
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
        const gone = once(child, "exit")
        // the group: what the server forked must not live on
        process.kill(-child.pid!, "SIGKILL")
        await gone
        child = undefined
      }
      const start = async () => {
        const [program, ...options] = kind.serve(directory, port)
        const started = child = spawn(program, options, { ...user, cwd: directory, detached: true, stdio: "ignore" })
        process.once("exit", () => {
          if (started.exitCode === null && started.signalCode === null) process.kill(-started.pid!, "SIGKILL")
        })
        for (let i = 0; i < 600 && !(await accepts(port)); i++) await sleep(50)
      }
      await start()
      return { directory, kill, start, place: kind.place(port) }
    }),
    ({ directory, kill }) =>
      Effect.promise(async () => {
        await kill()
        rmSync(directory, { recursive: true, force: true })
      })
  )

export const servers = [postgresKind, mariadbKind].map((kind) => ({
  service: serviceOf(kind),
  dialect: kind.place(0).dialect,
  scoped: make(kind)
}))
