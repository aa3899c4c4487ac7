/**
 * What the server itself knows of each request: how far its handler came, how it ended, and with which status the session
 * was asked to finish. Only this tells whether the changes of a request whose client has gone had to be saved (row M4).
 */
import type { Entry, Result } from "./script.js"

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
}

interface Waiting {
  readonly nonce: string
  readonly port: number | undefined
  readonly at: number
  readonly answer: (entry: Entry | undefined) => void
}

export class Journal {
  private readonly running = new Map<string, Recorder>()
  private readonly ended = new Map<string, Entry>()
  /** when the connection from a port was last closed; a port is used again after a while */
  private readonly closed = new Map<number, number>()
  private waiting: ReadonlyArray<Waiting> = []

  begin(nonce: string): Recorder {
    const recorder = new Recorder(nonce)
    this.running.set(nonce, recorder)
    return recorder
  }

  end({ exit, nonce, results, statuses, unfinished }: Recorder, sent: number): void {
    this.running.delete(nonce)
    this.ended.set(nonce, { nonce, results, unfinished, exit, statuses, sent })
    this.settle()
  }

  opened(port: number): void {
    this.closed.delete(port)
  }

  hasClosed(port: number): void {
    this.closed.set(port, Date.now())
    this.settle()
  }

  /** Answers when the request has ended, or can no longer arrive. Each entry is given away once. */
  ask(nonce: string, port: number | undefined, at: number, answer: (entry: Entry | undefined) => void): void {
    this.waiting = [...this.waiting, { nonce, port, at, answer }]
    this.settle()
  }

  private settle(): void {
    this.waiting = this.waiting.filter(({ answer, at, nonce, port }) => {
      const entry = this.ended.get(nonce)
      if (entry !== undefined) {
        this.ended.delete(nonce)
        answer(entry)
        return false
      }
      // What a client has sent is read before the end of its connection is.
      const cannotArrive = port === undefined || (this.closed.get(port) ?? 0) >= at
      if (this.running.has(nonce) || !cannotArrive) return true
      answer(undefined)
      return false
    })
  }
}
