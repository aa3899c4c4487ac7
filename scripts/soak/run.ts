/**
 * A whole soak: the server in its process, the people, and what came of it.
 */
import { fork } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdirSync, mkdtempSync } from "node:fs"
import * as Http from "node:http"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as HeapSeries from "./heap.js"
import { Divergence, Person, StoreFailed, type Surroundings } from "./person.js"
import { Random } from "./random.js"
import type { Account, Answer, Heap, Name, Plant, Question, Setup } from "./script.js"
import { clean } from "./stores.js"

/** `rate`: requests a second, of all users together. `snapshots`: a folder for a heap snapshot before and after. */
export interface Options {
  readonly store: Name
  readonly minutes: number
  readonly rate: number
  readonly users: number
  readonly seed: number
  readonly heap: boolean
  readonly snapshots: string | undefined
  readonly plant: Plant | undefined
  readonly print: (line: string) => void
  /** ends the run before its time */
  readonly signal?: AbortSignal
}

/**
 * - `requests`: those that were sent. `sessions`: those that were begun, and with the cookie store the seals.
 * - `aborted`: what the server made of the requests whose client had gone before their response came.
 * - `storeFailures`: the lives that ended because the store did not answer in time; they prove nothing.
 */
export interface Report {
  readonly requests: number
  readonly sessions: number
  readonly counts: ReadonlyMap<string, number>
  readonly aborted: ReadonlyMap<string, number>
  readonly storeFailures: number
  readonly divergence: Divergence | undefined
  readonly heap: ReadonlyArray<Heap>
}

export const run = async (options: Options): Promise<Report> => {
  const { heap, minutes, print, rate, snapshots, store, users } = options
  const place = placeOf(store)
  const server = await Server.start({ store, place, plant: options.plant })
  const agent = new Http.Agent({ keepAlive: true, maxSockets: Infinity })
  const deadline = Date.now() + minutes * 60_000
  const counts = new Map<string, number>()
  const aborted = new Map<string, number>()
  const series: Array<Heap> = []
  let requests = 0
  let sessions = 0
  let storeFailures = 0
  let divergence: Divergence | undefined

  const isOver = () => divergence !== undefined || options.signal?.aborted === true || Date.now() >= deadline
  const measure = async (snapshot?: string) => {
    const measured = await server.heap(snapshot)
    series.push(measured)
    print(HeapSeries.line(measured))
  }
  const snapshot = async (name: string) => {
    if (snapshots === undefined) return
    mkdirSync(snapshots, { recursive: true })
    await measure(resolve(snapshots, `${store}-${name}.heapsnapshot`))
  }

  const given = (random: Random, turn: () => Promise<void>): Surroundings => ({
    kind: store === "cookie" ? "client" : "server",
    origin: server.origin,
    agent,
    random,
    turn,
    ask: (nonce, port, at) => server.account(nonce, port, at),
    aborted: (what) => count(aborted, what)
  })
  const turn = paced(rate)
  const live = async (user: number) => {
    for (let life = 1; !isOver(); life++) {
      const person = new Person(`u${user}-${life}`, given(new Random(options.seed * 7919 + user * 104729 + life), turn))
      try {
        while (!isOver() && !person.isOld) {
          count(counts, await person.act())
        }
        await person.leave()
      } catch (error) {
        if (error instanceof Divergence) divergence ??= error
        else if (error instanceof StoreFailed) storeFailures += 1
        else throw error
      } finally {
        requests += person.requests
        sessions += person.sessions
      }
    }
  }

  const watch = async () => {
    if (!heap) return
    for (let next = Date.now() + 60_000; !isOver(); next += 60_000) {
      while (Date.now() < next && !isOver()) await sleep(500)
      await measure()
    }
  }

  try {
    await Promise.race([
      Promise.all([watch(), ...Array.from({ length: users }, (_, user) => live(user))]),
      // The snapshot of what was there after the first minute is the one to compare with: all code has been loaded.
      snapshots === undefined ?
        new Promise<never>(() => undefined) :
        sleep(60_000).then(() => snapshot("first")).then(() => new Promise<never>(() => undefined)),
      server.died
    ])
    await snapshot("last")
    return { requests, sessions, counts, aborted, storeFailures, divergence, heap: series }
  } finally {
    agent.destroy()
    await server.stop()
    await clean(store, place)
  }
}

const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)

const placeOf = (store: Name): string =>
  store === "sqlite" || store === "files"
    ? mkdtempSync(join(tmpdir(), "effect-session-soak-"))
    : `effect_session_soak_${randomUUID().replaceAll("-", "").slice(0, 12)}`

const sleep = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

/** One request at a time, so many a second; what was missed while the machine was busy is not made up for. */
const paced = (rate: number): () => Promise<void> => {
  let next = Date.now()
  return async () => {
    const at = next = Math.max(Date.now(), next + 1000 / rate)
    await sleep(at - Date.now())
  }
}

class Server {
  private readonly accounts = new Map<string, (account: Account) => void>()
  private heaps: ReadonlyArray<(heap: Heap) => void> = []
  origin = ""
  /** rejects when the server ends by itself */
  readonly died: Promise<never>

  private constructor(private readonly child: ReturnType<typeof fork>, listening: (port: number) => void) {
    this.died = new Promise((_, reject) => {
      child.on("exit", (code, signal) => reject(new Error(`the server ended with ${code ?? signal}`)))
    })
    this.died.catch(() => undefined) // whoever still waits for it will see
    child.on("message", (answer: Answer) => {
      if (answer.answer === "listening") return listening(answer.port)
      if (answer.answer === "heap") {
        const [resolve, ...rest] = this.heaps
        this.heaps = rest
        return resolve(answer.heap)
      }
      this.accounts.get(answer.nonce)?.(answer.account)
      this.accounts.delete(answer.nonce)
    })
  }

  static async start(setup: Setup): Promise<Server> {
    const child = fork(join(import.meta.dirname, "server.ts"), [JSON.stringify(setup)], {
      execArgv: ["--import", "tsx", "--expose-gc"]
    })
    let server: Server | undefined
    const listening = new Promise<number>((resolve) => server = new Server(child, resolve))
    const port = await Promise.race([listening, server!.died])
    server!.origin = `http://127.0.0.1:${port}`
    return server!
  }

  account(nonce: string, port: number | undefined, at: number): Promise<Account> {
    return new Promise((resolve) => {
      this.accounts.set(nonce, resolve)
      this.ask({ ask: "account", nonce, port, at })
    })
  }

  heap(snapshot: string | undefined): Promise<Heap> {
    return new Promise((resolve) => {
      this.heaps = [...this.heaps, resolve]
      this.ask({ ask: "heap", snapshot })
    })
  }

  private ask(question: Question): void {
    this.child.send(question)
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise<void>((resolve) => this.child.once("exit", () => resolve()))
    this.child.disconnect()
    await ended
  }
}
