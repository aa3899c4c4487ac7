/**
 * Hands the events of one store to those who listen.
 */
import * as Logs from "../edition/logs.js"
import type { Events, Happened, Inbox, SessionEvent } from "../store/event.js"
import { BoundedInbox } from "./inbox.js"

/** The name of a session in an event, made of its id in the store. */
export type NameOf = (id: string) => string

const asIs: NameOf = (id) => id

/** The hub of the store that has this cookie. `nameOf` is for a store whose ids are no hashes. */
export class Hub implements Events {
  private inboxes: ReadonlyArray<BoundedInbox> = []

  constructor(private readonly cookie: string, private readonly nameOf: NameOf = asIs) {}

  get isHeard(): boolean {
    return this.inboxes.length > 0
  }

  publish(happened: Happened): void {
    const event = this.stamped(happened)
    for (const inbox of this.inboxes) inbox.offer(event)
  }

  subscribe(capacity: number): Inbox {
    const inbox = new BoundedInbox(capacity, (closed) => {
      this.inboxes = this.inboxes.filter((other) => other !== closed)
    })
    this.inboxes = [...this.inboxes, inbox]
    return inbox
  }

  private stamped(happened: Happened): SessionEvent {
    const requestId = Logs.currentAnnotation("request_id")
    return {
      ...happened,
      cookie: this.cookie,
      ...typeof requestId === "string" ? { requestId } : {},
      ..."session" in happened && happened.session !== undefined ? { session: this.nameOf(happened.session) } : {},
      ..."previous" in happened && happened.previous !== undefined ? { previous: this.nameOf(happened.previous) } : {}
    } as SessionEvent
  }
}
