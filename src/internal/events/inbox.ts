/**
 * The events that wait for one subscriber. Whoever publishes never waits: what has no room is dropped and counted, and the
 * subscriber learns how many it has missed.
 */
import * as Effect from "effect/Effect"
import type { Inbox, SessionEvent } from "../store/event.js"
import * as Metrics from "../store/metrics.js"

type Taken = ReadonlyArray<SessionEvent> | undefined

export class BoundedInbox implements Inbox {
  private readonly waiting: Array<SessionEvent> = []
  private dropped = 0
  private lastDropped: SessionEvent | undefined
  private wake: ((taken: Effect.Effect<Taken>) => void) | undefined
  private closed = false

  constructor(private readonly capacity: number, private readonly onClose: (inbox: BoundedInbox) => void) {}

  /**
   * Any client can cause events without a subject, as many as it likes. They get half of the room only, so that a flood of
   * them does not push out what happens to those who have signed in.
   */
  offer(event: SessionEvent): void {
    const hasSubject = "subject" in event && event.subject !== undefined
    const room = hasSubject ? this.capacity : Math.ceil(this.capacity / 2)
    if (this.closed || this.waiting.length >= room) {
      this.dropped++
      this.lastDropped = event
      Metrics.eventDropped()
      return
    }
    this.waiting.push(event)
    this.wakeUp()
  }

  take(most: number): Effect.Effect<Taken> {
    return Effect.async<Taken>((resume) => {
      if (this.waiting.length > 0 || this.closed) return resume(Effect.succeed(this.next(most)))
      this.wake = resume
      // An interrupted fiber takes nothing: what it would have taken waits for the next.
      return Effect.sync(() => {
        if (this.wake === resume) this.wake = undefined
      })
    }).pipe(
      Effect.flatMap((taken) => taken === noticed ? Effect.suspend(() => this.take(most)) : Effect.succeed(taken))
    )
  }

  close(): void {
    this.closed = true
    this.onClose(this)
    this.wakeUp()
  }

  private wakeUp(): void {
    const { wake } = this
    this.wake = undefined
    wake?.(Effect.succeed(noticed))
  }

  /** The oldest events; after the last one, how many were missed. */
  private next(most: number): Taken {
    const taken = this.waiting.splice(0, most)
    const { dropped, lastDropped } = this
    if (lastDropped === undefined || this.waiting.length > 0) return taken.length === 0 ? undefined : taken
    this.dropped = 0
    this.lastDropped = undefined
    return [...taken, { _tag: "Dropped", at: lastDropped.at, cookie: lastDropped.cookie, count: dropped }]
  }
}

/** What a subscriber that waits gets when there is something: it then takes it by itself. */
const noticed: Taken = []
