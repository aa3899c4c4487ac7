/**
 * That the soak's model finds what is wrong. What it finds on a whole run: `npm run soak`.
 */
import { afterEach, describe, expect, it, vi } from "vitest"
import { worldsAfter } from "../../scripts/soak/check.js"
import { Journal } from "../../scripts/soak/journal.js"
import { run } from "../../scripts/soak/run.js"
import type { Account, Entry, Result, Script, Step } from "../../scripts/soak/script.js"
import { empty, type World } from "../../scripts/soak/world.js"

type Kind = "client" | "server"

/** A person with one browser and a server that says what it has done: what it should, unless a test says otherwise. */
class Visit {
  worlds: ReadonlyArray<World> = [empty]
  private token: string | undefined

  constructor(private readonly kind: Kind) {}

  /**
   * Whether the model allows this answer. `sets` is the token of its cookie; `status` is what the session was finished with;
   * `old` is a token that is sent in place of the browser's own; `now` is when the answer came.
   */
  allows(
    steps: ReadonlyArray<Step>,
    results: ReadonlyArray<Result>,
    { exit = "completed", now = 0, old, reached = true, sets, status = 200, unfinished = false }: {
      readonly exit?: Entry["exit"]
      readonly now?: number
      readonly old?: string
      readonly reached?: boolean
      readonly sets?: string
      readonly status?: number
      readonly unfinished?: boolean
    } = {}
  ): boolean {
    const script: Script = { steps, stream: undefined, status: 200 }
    const entry: Entry = {
      nonce: "n",
      results,
      unfinished,
      exit,
      statuses: [status],
      sent: status,
      storeFailed: false,
      from: "",
      to: ""
    }
    const cookie = sets === undefined
      ? { _tag: "None" } as const
      : { _tag: "Set", token: sets, persistent: false } as const
    const reply = {
      at: 0,
      port: 1,
      status: reached ? status : undefined,
      requestId: "n",
      cookie: reached ? cookie : undefined,
      body: undefined,
      overdue: false
    }
    const sent = { kind: this.kind, token: old ?? this.token, script, entry }
    const possible = worldsAfter(this.worlds, [{ sent, reply }], now)
    if (possible.length === 0) return false
    this.worlds = possible
    if (reached && sets !== undefined && old === undefined) this.token = sets
    return true
  }

  reads(values: Readonly<Record<string, string | number>>, id = "id"): boolean {
    const isThere = Object.keys(values).length > 0
    return this.allows([{ op: "read" }], [{ values, subject: null, id: isThere ? id : null }])
  }
}

const insert = (value: string): Step => ({ op: "insert", key: "a", value })
const modify: Step = { op: "modify" }
const sleep: Step = { op: "sleep", millis: 10 }
const done: Result = { value: null }

const begun = (kind: Kind): Visit => {
  const visit = new Visit(kind)
  expect(visit.allows([insert("one")], [done], { sets: "first" })).toBe(true)
  return visit
}

const interrupted = { exit: "interrupted", reached: false, status: 499, unfinished: true } as const

describe("the soak's model", () => {
  it("finds a save that was dropped", () => {
    const visit = begun("server")
    expect(visit.allows([insert("two")], [done])).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(false)
    expect(visit.reads({ a: "two" })).toBe(true)
  })

  it("finds that the changes of an interrupted request were saved", () => {
    const visit = begun("server")
    expect(visit.allows([insert("two"), sleep], [done], interrupted)).toBe(true)
    expect(visit.reads({ a: "two" })).toBe(false)
    expect(visit.reads({ a: "one" })).toBe(true)
  })

  it("expects the changes of a request whose client has gone, but whose handler ended first", () => {
    const visit = begun("server")
    expect(visit.allows([insert("two"), sleep], [done, done], { reached: false })).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(false)
    expect(visit.reads({ a: "two" })).toBe(true)
  })

  it("finds a modify that was lost, and expects one that returned before its request was interrupted", () => {
    const visit = begun("server")
    expect(visit.allows([modify, sleep], [{ value: 1 }], interrupted)).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(false)
    expect(visit.reads({ a: "one", count: 1 })).toBe(true)
    expect(visit.allows([modify], [{ value: 1 }])).toBe(false)
  })

  it("allows both for a modify that was interrupted on its way, until an answer decides", () => {
    const visit = begun("server")
    expect(visit.allows([modify, sleep], [], interrupted)).toBe(true)
    expect(visit.worlds.length).toBeGreaterThan(1)
    expect(visit.reads({ a: "one", count: 1 })).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(false)
  })

  it("finds a session that lives on after its sign-out, and a cookie that nothing asked for", () => {
    const visit = begun("server")
    expect(visit.allows([{ op: "read" }], [{ values: { a: "one" }, subject: null, id: "id" }], { sets: "other" })).toBe(
      false
    )
    expect(visit.allows([{ op: "signOut" }], [done], { reached: false })).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(false)
    expect(visit.reads({})).toBe(true)
  })

  it("finds a token that was renewed away and starts a session, and expects that it is unknown when its time is over", () => {
    const visit = begun("server")
    expect(visit.allows([{ op: "renew" }], [done], { sets: "second" })).toBe(true)
    expect(visit.allows([insert("two")], [done], { old: "first", now: 10_000, sets: "third" })).toBe(false)
    expect(visit.allows([insert("two")], [done], { old: "first", now: 10_000 })).toBe(true)
    expect(visit.allows([modify], [{ error: "SessionEnded" }], { old: "first", now: 10_000 })).toBe(true)
    expect(visit.allows([insert("two")], [done], { old: "first", now: 100_000 })).toBe(false)
    expect(visit.allows([insert("two")], [done], { old: "first", now: 100_000, sets: "third" })).toBe(true)
    expect(visit.reads({ a: "one" })).toBe(true)
  })

  it("expects that a sign-out with a token that was renewed away ends the successor, whether it was loaded before or not", () => {
    for (const before of [[], [{ op: "read" }]] as const) {
      const visit = begun("server")
      expect(visit.allows([{ op: "renew" }], [done], { sets: "second" })).toBe(true)
      const nothing: Result = { values: {}, subject: null, id: null }
      const results = [...before.map(() => nothing), done]
      expect(visit.allows([...before, { op: "signOut" }], results, { old: "first", reached: false })).toBe(true)
      expect(visit.reads({ a: "one" })).toBe(false)
      expect(visit.reads({})).toBe(true)
    }
  })

  it("expects that a sign-out ends the successor of the request's token beside a session that the request has begun", () => {
    const visit = begun("server")
    expect(visit.allows([{ op: "renew" }], [done], { sets: "second" })).toBe(true)
    const steps = [{ op: "signIn", subject: "ada" }, { op: "signOut" }] as const
    expect(visit.allows(steps, [done, done], { old: "first", reached: false })).toBe(true)
    expect(visit.allows([{ op: "list", subject: "ada" }], [{ ids: [], current: null }])).toBe(true)
    expect(visit.reads({})).toBe(true)
  })

  it("expects a new session of what follows a sign-out with a token that was renewed away", () => {
    const visit = begun("server")
    expect(visit.allows([{ op: "renew" }], [done], { sets: "second" })).toBe(true)
    const steps = [{ op: "signOut" }, modify] as const
    expect(visit.allows(steps, [done, { error: "SessionEnded" }], { old: "first", sets: "third" })).toBe(false)
    expect(visit.allows(steps, [done, { value: 1 }], { old: "first", sets: "third" })).toBe(true)
    expect(visit.reads({})).toBe(true)
  })

  it("takes a revoked session for any whose sign-in was interrupted, as long as no list has told them apart", () => {
    const visit = begun("server")
    const signIn: Step = { op: "signIn", subject: "ada" }
    const revoke = (id: string): Step => ({ op: "revoke", subject: "ada", id })
    for (let i = 0; i < 2; i++) expect(visit.allows([signIn], [done], { reached: false })).toBe(true)
    const listed: Result = { ids: ["one", "two"], current: null }
    // The sign-in with a token that another sign-in has replaced begins a session of its own.
    expect(visit.allows([{ op: "list", subject: "ada" }], [listed])).toBe(true)
    expect(visit.allows([revoke("one")], [{ value: true }])).toBe(true)
    expect(visit.allows([revoke("one")], [{ value: true }])).toBe(false)
    expect(visit.allows([{ op: "list", subject: "ada" }], [{ ids: ["two"], current: null }])).toBe(true)
    expect(visit.allows([revoke("two")], [{ value: false }])).toBe(false)
    expect(visit.allows([revoke("two")], [{ value: true }])).toBe(true)
  })

  it("expects of the cookie store that a change whose response was lost is lost with it", () => {
    const visit = begun("client")
    expect(visit.allows([insert("two")], [done], { reached: false })).toBe(true)
    expect(visit.reads({ a: "two" })).toBe(false)
    expect(visit.reads({ a: "one" })).toBe(true)
  })
})

describe("the soak's journal", () => {
  afterEach(() => void vi.useRealTimers())

  const asked = (journal: Journal, port: number | undefined): { readonly account: Account | undefined } => {
    const asked: { account: Account | undefined } = { account: undefined }
    journal.ask("n", port, Date.now(), (account) => asked.account = account)
    return asked
  }

  it("waits for a request whose connection the server takes long after the client has gone", () => {
    vi.useFakeTimers()
    const journal = new Journal()
    const question = asked(journal, 1)
    vi.advanceTimersByTime(10_000)
    expect(question.account).toBeUndefined()
    journal.hasOpened(1)
    const recorder = journal.begin("n")
    journal.hasClosed(1)
    expect(question.account).toBeUndefined()
    journal.end(recorder, 200)
    expect(question.account?._tag).toBe("Ended")
  })

  it("knows that a request is lost whose connection has closed, or was never taken", () => {
    vi.useFakeTimers()
    const journal = new Journal()
    expect(asked(journal, undefined).account?._tag).toBe("NeverArrived")
    journal.hasOpened(1)
    const closing = asked(journal, 1)
    journal.hasClosed(1)
    expect(closing.account?._tag).toBe("NeverArrived")
    const never = asked(journal, 2)
    vi.advanceTimersByTime(50_000)
    expect(never.account?._tag).toBe("NeverArrived")
  })

  it("reports a request that does not end, with what is known of it", () => {
    vi.useFakeTimers()
    const journal = new Journal()
    journal.begin("n").begin()
    const question = asked(journal, 1)
    vi.advanceTimersByTime(61_000)
    expect(question.account).toMatchObject({ _tag: "Unsettled", entry: { unfinished: true, exit: "none" } })
  })
})

describe("the soak", () => {
  it("finds one save of a real server that was reported as done and never made", async () => {
    const { divergence } = await run({
      store: "memory",
      minutes: 2, // ends with the first divergence; a busy machine needs longer to come to it
      rate: 200,
      users: 10,
      seed: 1,
      heap: false,
      snapshots: undefined,
      plant: "dropped-save",
      print: () => undefined
    })
    expect(divergence?.history.length).toBeGreaterThan(0)
    expect(divergence?.history.join("\n")).not.toMatch(/__Host-session/)
  }, 240_000)
})
