import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { countOf } from "../../src/internal/edition/metric.js"
import { Hub } from "../../src/internal/events/hub.js"
import { settle } from "../support/stage.js"

const created = (session: string, subject?: string) => ({ _tag: "Created", at: 1, session, subject }) as const

const droppedSoFar = () => countOf("effect_session_events_dropped_total")

const summaryOf = (events: ReadonlyArray<{ readonly _tag: string }> | undefined) =>
  events?.map((event) => "session" in event ? event.session : "count" in event ? event.count : event._tag)

describe("the events that wait for a subscriber", () => {
  it.effect("N6: events arrive in their order, and each subscriber gets all of them", () =>
    Effect.gen(function*() {
      const hub = new Hub("session")
      const [one, other] = [hub.subscribe(10), hub.subscribe(10)]
      for (const name of ["a", "b", "c"]) hub.publish(created(name))
      expect(summaryOf(yield* one.take(2))).toEqual(["a", "b"])
      expect(summaryOf(yield* one.take(2))).toEqual(["c"])
      expect(summaryOf(yield* other.take(10))).toEqual(["a", "b", "c"])
    }))

  it.effect("N6: what a slow subscriber has no room for is dropped and counted, and it learns how many it has missed", () =>
    Effect.gen(function*() {
      const hub = new Hub("session")
      const inbox = hub.subscribe(4)
      const before = droppedSoFar()
      for (let i = 0; i < 10; i++) hub.publish(created(`s${i}`, "ada"))
      expect(droppedSoFar() - before).toBe(6)
      expect(summaryOf(yield* inbox.take(3))).toEqual(["s0", "s1", "s2"])
      expect(summaryOf(yield* inbox.take(3))).toEqual(["s3", 6])
      hub.publish(created("later", "ada"))
      expect(summaryOf(yield* inbox.take(3))).toEqual(["later"])
    }))

  it.effect("N6: a flood of events without a subject takes half of the room, and what happens to subjects still arrives", () =>
    Effect.gen(function*() {
      const hub = new Hub("session")
      const inbox = hub.subscribe(4)
      for (let i = 0; i < 100; i++) hub.publish({ _tag: "Tampered", at: 1, reason: "Malformed" })
      hub.publish(created("ada's", "ada"))
      hub.publish(created("bob's", "bob"))
      hub.publish(created("eve's", "eve"))
      expect(summaryOf(yield* inbox.take(10))).toEqual(["Tampered", "Tampered", "ada's", "bob's", 99])
    }))

  it.effect("N6: a subscriber that is interrupted while it waits takes nothing with it, and one that has closed gets the rest", () =>
    Effect.gen(function*() {
      const hub = new Hub("session")
      const inbox = hub.subscribe(4)
      const waiting = yield* Effect.fork(inbox.take(4))
      yield* settle
      hub.publish(created("a"))
      yield* Fiber.interrupt(waiting)
      // It may have gone on before it was interrupted. Then the event is its own, and otherwise it is still there.
      const ended = yield* Fiber.await(waiting)
      expect(summaryOf(Exit.isSuccess(ended) ? ended.value : yield* inbox.take(4))).toEqual(["a"])

      const interrupted = yield* Effect.fork(inbox.take(4))
      yield* settle
      yield* Fiber.interrupt(interrupted)
      hub.publish(created("next"))
      expect(summaryOf(yield* inbox.take(4))).toEqual(["next"])

      hub.publish(created("b"))
      expect(hub.isHeard).toBe(true)
      inbox.close()
      expect(hub.isHeard).toBe(false)
      hub.publish(created("too late"))
      expect(summaryOf(yield* inbox.take(4))).toEqual(["b"])
      expect(yield* inbox.take(4)).toBeUndefined()
    }))

  it.effect("N6: whoever waits when the subscription ends is told that nothing comes any more", () =>
    Effect.gen(function*() {
      const inbox = new Hub("session").subscribe(4)
      const waiting = yield* Effect.fork(inbox.take(4))
      yield* settle
      inbox.close()
      expect(yield* Fiber.join(waiting)).toBeUndefined()
    }))
})
