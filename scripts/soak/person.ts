/**
 * A virtual user: a person with two browsers, and all that the server may hold of them by what they have done.
 */
import type * as Http from "node:http"
import { type Action, Actions, read, type Sending } from "./actions.js"
import { Browser, nameOf } from "./browser.js"
import { type Request, worldsAfter } from "./check.js"
import type { Random } from "./random.js"
import type { Account, Entry, Script } from "./script.js"
import { empty, type World } from "./world.js"

/** What the soak gives to everybody in it. */
export interface Surroundings {
  readonly kind: "client" | "server"
  readonly origin: string
  readonly agent: Http.Agent
  readonly random: Random
  /** waits for the next request's turn */
  readonly turn: () => Promise<void>
  readonly ask: (nonce: string, port: number | undefined, at: number) => Promise<Account>
  /** counts what came of a request whose client had gone before the response came */
  readonly aborted: (what: string) => void
}

/** The history of a person whose sessions are not what they must be. */
export class Divergence extends Error {
  constructor(readonly what: string, readonly history: ReadonlyArray<string>) {
    super(what)
  }
}

/** The store did not answer in time: nothing is known of the person's sessions any more. */
export class StoreFailed extends Error {}

/** A few hundred requests are a life that can still be read. */
const maxRequests = 400

export class Person {
  private worlds: ReadonlyArray<World> = [empty]
  private readonly browsers: ReadonlyArray<Browser>
  private readonly actions: Actions
  private readonly history: Array<string> = []
  private ids: ReadonlyArray<string> = []
  requests = 0

  constructor(readonly name: string, private readonly given: Surroundings) {
    this.browsers = [0, 1].map(() => new Browser(given.origin, given.agent))
    this.actions = new Actions(given.random)
  }

  get isOld(): boolean {
    return this.requests >= maxRequests
  }

  /** How many sessions were begun for this person: as far as is known where that was left open. */
  get sessions(): number {
    return Math.min(...this.worlds.map((world) => world.sessions.size))
  }

  /** One action, and its name; after what may have gone either way, a look at what came of it. */
  async act(): Promise<string> {
    const { kind, random } = this.given
    const browser = random.pick(this.browsers)
    const action = this.actions.next({ kind, ids: this.ids, subject: `${this.name}-${random.chance(0.8) ? "a" : "b"}` })
    const possible = this.worlds.length
    await this.perform(browser, action)
    if (action.name === "abort" || this.worlds.length > possible || random.chance(0.2)) {
      for (const each of this.browsers) await this.perform(each, look)
    }
    return action.name
  }

  /** Leaves nothing on the server that it knows of. */
  async leave(): Promise<void> {
    for (const browser of this.browsers) await this.perform(browser, signOut)
  }

  private async perform(browser: Browser, { name, sendings }: Action): Promise<void> {
    const { kind } = this.given
    const requests = await Promise.all(sendings.map((sending) => this.request(browser, name, sending)))
    const arrived = requests.filter((request) => request !== undefined)
    if (arrived.some(hasFailed)) throw new StoreFailed()
    const possible = worldsAfter(this.worlds, arrived, Date.now())
    if (possible.length === 0) {
      throw new Divergence(`${name}: ${arrived.map(({ sent }) => sent.entry.nonce).join(", ")}`, [
        ...this.history,
        ...this.worlds.map((world) => `what the model took to be possible before it: ${describe(world)}`)
      ])
    }
    this.worlds = possible
    this.requests += requests.length
    if (kind === "client") return
    for (const { sent } of arrived) {
      for (const result of sent.entry.results) if ("ids" in result) this.ids = result.ids
    }
  }

  private async request(browser: Browser, action: string, sending: Sending): Promise<Request | undefined> {
    await this.given.turn()
    const { abortAfter, old, script } = sending
    const token = old ? this.given.random.pick([...browser.old, browser.token]) : browser.token
    const nonce = `${this.name}-${this.history.length + 1}-${this.given.random.between(0, 999_999)}`
    const reply = await browser.send(nonce, script, abortAfter, old ? token : undefined)
    const account = await this.given.ask(nonce, reply.port, reply.at)
    const entry = account._tag === "NeverArrived" ? undefined : account.entry
    if (abortAfter !== undefined && reply.status === undefined) {
      this.given.aborted(entry === undefined ? "never arrived" : `${entry.exit} with ${entry.statuses.join(" and ")}`)
    }
    this.history.push(line({
      at: new Date(reply.at).toISOString(),
      nonce,
      browser: this.browsers.indexOf(browser),
      action,
      cookie: nameOf(token),
      script,
      abortAfter,
      reply: {
        status: reply.status ?? "none",
        cookie: reply.cookie?._tag === "Set" ? nameOf(reply.cookie.token) : reply.cookie?._tag,
        complete: reply.body !== undefined
      },
      server: entry ?? "never arrived"
    }))
    const problem = account._tag === "Unsettled"
      ? "a minute after its client had gone it had neither ended on the server nor failed to arrive"
      : reply.overdue
      ? "no answer came within a minute"
      : entry === undefined
      ? reply.status === undefined ? undefined : "an answer came to a request that the server does not know"
      : problemOf(nonce, script, entry, reply)
    if (problem !== undefined) throw new Divergence(`${nonce}: ${problem}`, this.history)
    return entry === undefined ? undefined : { reply, sent: { kind: this.given.kind, token, script, entry } }
  }
}

const look: Action = {
  name: "browse",
  sendings: [{ script: { steps: [read], stream: undefined, status: 200 }, abortAfter: undefined, old: false }]
}

const signOut: Action = {
  name: "sign out",
  sendings: [{
    script: { steps: [{ op: "signOut" }], stream: undefined, status: 200 },
    abortAfter: undefined,
    old: false
  }]
}

const hasFailed = ({ reply, sent: { entry, script } }: Request): boolean =>
  entry.storeFailed
  || entry.results.some((result) => "error" in result && result.error === "SessionStoreError")
  || (script.status !== 503 && (reply.status === 503 || entry.sent === 503))

/** What must be so whatever the session holds. */
const problemOf = (nonce: string, script: Script, entry: Entry, reply: Request["reply"]): string | undefined => {
  const [status] = entry.statuses
  if (entry.exit === "interrupted" && status !== 499) return `an interrupted handler was finished with ${status}`
  if (entry.exit === "completed" && !entry.statuses.includes(script.status) && status !== 499) {
    return `the handler ended with ${script.status}, and its session with ${status}`
  }
  if (reply.status === undefined) return undefined
  if (reply.requestId !== nonce) return "the response has another request's id"
  if (reply.status === 503) return undefined
  if (reply.status !== script.status) return `the status is ${reply.status}`
  if (reply.body === undefined) return undefined
  const body = script.stream === undefined
    ? JSON.stringify(entry.results)
    : entry.results.slice(script.steps.length).map((result) => `${JSON.stringify(result)}\n`).join("")
  return body === reply.body ? undefined : "the body is not what the server has noted"
}

const line = (request: object): string => JSON.stringify(request)

const describe = (world: World): string =>
  JSON.stringify({
    sessions: [...world.sessions.values()].filter(({ alive }) => alive),
    tokens: [...world.tokens].map(([token, serial]) => `${nameOf(token)} opens ${serial}`),
    late: world.late.length
  })
