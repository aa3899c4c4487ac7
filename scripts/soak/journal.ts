/**
 * What the server itself knows of each request: how far its handler came, how it ended, and with which status the session
 * was asked to finish. Only this tells whether the changes of a request whose client has gone had to be saved (row M4).
 */
import type { Account, Entry, Result } from "./script.js"

/** One request while it runs. */
export class Recorder {
  readonly results: Array<Result> = []
  readonly statuses: Array<number> = []
  unfinished = false
  exit: Entry["exit"] = "none"

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
    const { exit, nonce, results, statuses, unfinished } = this
    return { nonce, results, unfinished, exit, statuses, sent }
  }
}

interface Waiting {
  readonly nonce: string
  readonly port: number | undefined
  readonly since: number
  readonly answer: (account: Account) => void
}

/** A connection that the client has made is accepted within this time, because the question itself has been read. */
const acceptedMillis = 1_000

/** A request that the server has not ended by then never will. */
const patienceMillis = 60_000

export class Journal {
  private readonly running = new Map<string, Recorder>()
  private readonly ended = new Map<string, Entry>()
  /** the ports that are connected, and since when */
  private readonly open = new Map<number, number>()
  private waiting: ReadonlyArray<Waiting> = []

  begin(nonce: string): Recorder {
    const recorder = new Recorder(nonce)
    this.running.set(nonce, recorder)
    return recorder
  }

  end(recorder: Recorder, sent: number): void {
    this.running.delete(recorder.nonce)
    this.ended.set(recorder.nonce, recorder.entry(sent))
    this.settle()
  }

  opened(port: number): void {
    this.open.set(port, Date.now())
  }

  closed(port: number): void {
    this.open.delete(port)
    this.settle()
  }

  /** Answers when the request has ended, or can no longer arrive. Each entry is given away once. */
  ask(nonce: string, port: number | undefined, answer: (account: Account) => void): void {
    this.waiting = [...this.waiting, { nonce, port, since: Date.now(), answer }]
    this.settle()
    for (const millis of [acceptedMillis, patienceMillis]) setTimeout(() => this.settle(), millis + 1)
  }

  private settle(): void {
    const now = Date.now()
    this.waiting = this.waiting.filter((waiting) => {
      const account = this.account(waiting, now)
      if (account === undefined) return true
      this.ended.delete(waiting.nonce)
      waiting.answer(account)
      return false
    })
  }

  private account({ nonce, port, since }: Waiting, now: number): Account | undefined {
    const entry = this.ended.get(nonce)
    if (entry !== undefined) return { _tag: "Ended", entry }
    const running = this.running.get(nonce)
    if (running === undefined && (port === undefined || now - since > acceptedMillis && !this.isOpen(port, since))) {
      return { _tag: "NeverArrived" }
    }
    return now - since > patienceMillis ? { _tag: "Unsettled", entry: running?.entry(0) } : undefined
  }

  /**
   * Whether the connection from this port is the one that was there when the question came: a port is used again after a
   * while. What a client has sent is read before the end of its connection is.
   */
  private isOpen(port: number, at: number): boolean {
    const since = this.open.get(port)
    return since !== undefined && since <= at + acceptedMillis
  }
}
