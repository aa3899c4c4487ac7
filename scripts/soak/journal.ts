/**
 * What the server itself knows of each request: how far its handler came, how it ended, and with which status the session
 * was asked to finish. Only this tells whether the changes of a request whose client has gone had to be saved (row M4).
 */
import type { Account, Entry, Result } from "./script.js"

const now = (): string => new Date().toISOString()

/** One request while it runs. */
export class Recorder {
  readonly results: Array<Result> = []
  readonly statuses: Array<number> = []
  unfinished = false
  storeFailed = false
  exit: Entry["exit"] = "none"

  private readonly from = now()

  constructor(readonly nonce: string) {}

  begin(): void {
    this.unfinished = true
  }

  end(result: Result): Result {
    this.unfinished = false
    this.results.push(result)
    return result
  }

  /** `sent` is 0 while the response has not gone out. */
  entry(sent: number): Entry {
    const { exit, nonce, results, statuses, storeFailed, unfinished } = this
    return { nonce, results, unfinished, exit, statuses, sent, storeFailed, from: this.from, to: now() }
  }
}

interface Waiting {
  readonly nonce: string
  readonly port: number | undefined
  readonly at: number
  /** how often the journal has ticked since it was asked */
  readonly ticks: number
  readonly answer: (account: Account) => void
}

/**
 * A request that the server has not ended after so many seconds never will. The seconds are counted by a timer: on a busy
 * machine this process may stand still for a minute, and no request can end then.
 */
const patience = 60

/**
 * A connection that the server has not taken by then was reset before it could. On a machine whose processors stand still
 * for seconds, connections have been taken more than two seconds after the client had closed them.
 */
const lost = 40

export class Journal {
  private readonly running = new Map<string, Recorder>()
  private readonly ended = new Map<string, Entry>()
  private readonly open = new Set<number>()
  /** when the connection from a port was last closed, the latest last; a port is used again after a while */
  private readonly closed = new Map<number, number>()
  private readonly lost = new Set<string>()
  private waiting: ReadonlyArray<Waiting> = []

  constructor() {
    setInterval(() => {
      this.waiting = this.waiting.map((waiting) => ({ ...waiting, ticks: waiting.ticks + 1 }))
      this.settle()
    }, 1000).unref()
  }

  begin(nonce: string): Recorder {
    if (this.lost.has(nonce)) console.log(`${nonce} has arrived although it was taken for lost`)
    const recorder = new Recorder(nonce)
    this.running.set(nonce, recorder)
    return recorder
  }

  end(recorder: Recorder, sent: number): void {
    this.running.delete(recorder.nonce)
    this.ended.set(recorder.nonce, recorder.entry(sent))
    this.settle()
  }

  hasOpened(port: number): void {
    this.open.add(port)
    this.closed.delete(port)
  }

  hasClosed(port: number): void {
    const now = Date.now()
    this.open.delete(port)
    this.closed.set(port, now)
    for (const [other, at] of this.closed) {
      if (at > now - 600_000) break
      this.closed.delete(other)
    }
    this.settle()
  }

  /** Answers when the request has ended, or can no longer arrive. Each entry is given away once. */
  ask(nonce: string, port: number | undefined, at: number, answer: (account: Account) => void): void {
    this.waiting = [...this.waiting, { nonce, port, at, ticks: 0, answer }]
    this.settle()
  }

  private settle(): void {
    this.waiting = this.waiting.filter((waiting) => {
      const account = this.account(waiting)
      if (account === undefined) return true
      this.ended.delete(waiting.nonce)
      if (account._tag === "NeverArrived") this.lost.add(waiting.nonce)
      waiting.answer(account)
      return false
    })
  }

  private account({ at, nonce, port, ticks }: Waiting): Account | undefined {
    const entry = this.ended.get(nonce)
    if (entry !== undefined) return { _tag: "Ended", entry }
    const running = this.running.get(nonce)
    if (running === undefined) {
      // What a client has sent is read before the end of its connection is.
      const isLost = port === undefined
        || (this.closed.get(port) ?? 0) >= at
        || (!this.open.has(port) && ticks > lost)
      if (isLost) return { _tag: "NeverArrived" }
    }
    return ticks > patience ? { _tag: "Unsettled", entry: running?.entry(0) } : undefined
  }
}
