/**
 * Watches over a connection that this library has opened: whether it still answers, and what the log says when it is lost.
 */
import * as Effect from "effect/Effect"
import { later } from "../edition/fork.js"
import { describe } from "./commands.js"

/** A connection that has given no answer for so long, although commands wait for one, counts as hanging. */
export const silenceMillis = 5_000

/** Counts the commands that have no answer yet, so that a connection that hangs can be distinguished from an idle one. */
export class Silence {
  private unanswered = 0
  private answers = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  /**
   * `drop` gives up a connection that does not answer any more: what waits in its socket would otherwise be applied when it
   * comes back to life, long after the callers gave up. One timer serves all commands, and the first of them starts it.
   */
  constructor(private readonly millis: number, private readonly drop: () => void) {}

  sent(): void {
    this.unanswered++
    if (this.timer === undefined) this.start()
  }

  answered(): void {
    this.unanswered--
    this.answers++
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private start(): void {
    const before = this.answers
    this.timer = setTimeout(() => {
      this.timer = undefined
      if (this.unanswered === 0) return
      if (this.answers === before) this.drop()
      else this.start()
    }, this.millis)
    this.timer.unref()
  }
}

/** Logs one warning for each outage, and one line when it is over. */
export const outages: Effect.Effect<{ readonly lost: (error: unknown) => void; readonly connected: () => void }> =
  Effect.map(later, (log) => {
    let down = false
    return {
      lost: (error) => {
        if (down) return
        down = true
        log(Effect.logWarning(`the session store lost its connection to Redis: ${describe(error)}`))
      },
      connected: () => {
        if (down) log(Effect.logInfo("the session store is connected to Redis again"))
        down = false
      }
    }
  })
