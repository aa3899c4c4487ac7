/**
 * What happens to sessions, as events: the contract between the places where something happens and `events/`, which delivers it.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What every event has. */
const common = {
  at: Schema.Number,
  cookie: Schema.String,
  requestId: Schema.optional(Schema.String)
}

/** What an event has that is about one session. */
const ofSession = { ...common, session: Schema.String, subject: Schema.optional(Schema.String) }

/** What an event has that may be about a session that nobody knows. */
const ofAny = { ...common, session: Schema.optional(Schema.String), subject: Schema.optional(Schema.String) }

/**
 * Why a session has ended without its user's doing, or with it.
 *
 * - `Flush`: the app called `flush`.
 * - `OtherSubject`: somebody else has signed in within the session.
 *
 * @since 1.0.0
 * @category models
 */
export type SignOutReason = "Flush" | "OtherSubject"

/**
 * Why a session was evicted.
 *
 * - `StoreFull`: the memory store had no room.
 * - `SubjectBound`: its subject has signed in more often than `subjectBound` allows.
 *
 * @since 1.0.0
 * @category models
 */
export type EvictionReason = "StoreFull" | "SubjectBound"

/**
 * What is foreign about a value that is authentic.
 *
 * - `Format`: it is not a session of this library.
 * - `Version`: it is of a version that this one cannot read.
 * - `Audience`: it was sealed for another audience.
 * - `Damaged`: it cannot be read.
 *
 * @since 1.0.0
 * @category models
 */
export type ForeignReason = "Format" | "Version" | "Audience" | "Damaged"

const Created = Schema.TaggedStruct("Created", ofSession)

const SignedIn = Schema.TaggedStruct("SignedIn", {
  ...ofSession,
  subject: Schema.String,
  previous: Schema.optional(Schema.String)
})

const Renewed = Schema.TaggedStruct("Renewed", { ...ofSession, previous: Schema.String })

const SignedOut = Schema.TaggedStruct("SignedOut", {
  ...ofSession,
  reason: Schema.Literal("Flush", "OtherSubject")
})

const Revoked = Schema.TaggedStruct("Revoked", ofAny)

const Expired = Schema.TaggedStruct("Expired", ofSession)

const Evicted = Schema.TaggedStruct("Evicted", { ...ofSession, reason: Schema.Literal("StoreFull", "SubjectBound") })

const Refused = Schema.TaggedStruct("Refused", {
  ...ofAny,
  reason: Schema.Literal("TooManySessions", "CrossSite", "SameSite", "OtherOrigin", "NoToken", "WrongToken")
})

const OldIdUsed = Schema.TaggedStruct("OldIdUsed", { ...ofSession, previous: Schema.String })

const Tampered = Schema.TaggedStruct("Tampered", { ...common, reason: Schema.Literal("Malformed", "NotAuthentic") })

const Foreign = Schema.TaggedStruct("Foreign", {
  ...common,
  session: Schema.optional(Schema.String),
  reason: Schema.Literal("Format", "Version", "Audience", "Damaged")
})

const TooLarge = Schema.TaggedStruct("TooLarge", { ...ofAny, size: Schema.Number, limit: Schema.Number })

const CommitFailed = Schema.TaggedStruct("CommitFailed", {
  ...ofAny,
  operation: Schema.String,
  reason: Schema.Literal("Unavailable", "Timeout", "Contention")
})

const Dropped = Schema.TaggedStruct("Dropped", { ...common, count: Schema.Number })

/** The schema of an event. The public module documents it. */
export const SessionEvent = Schema.Union(
  Created,
  SignedIn,
  Renewed,
  SignedOut,
  Revoked,
  Expired,
  Evicted,
  Refused,
  OldIdUsed,
  Tampered,
  Foreign,
  TooLarge,
  CommitFailed,
  Dropped
)

export type SessionEvent = typeof SessionEvent.Type

/** An event as the place knows it where it happens. Its sessions are named by the ids that the store has for them. */
export type Happened = SessionEvent extends infer Event
  ? Event extends SessionEvent ? Omit<Event, "cookie" | "requestId"> : never
  : never

/**
 * Events that wait for one subscriber.
 *
 * - `take`: waits for events and takes at most `most` of them, the oldest first; undefined after `close`, when none is left.
 * - `close`: no further event is kept.
 */
export interface Inbox {
  readonly take: (most: number) => Effect.Effect<ReadonlyArray<SessionEvent> | undefined>
  readonly close: () => void
}

/**
 * Where the events of one store go.
 *
 * - `isHeard`: whether anybody listens. Nothing may be computed for an event that nobody hears.
 * - `publish`: hands the event to everybody who listens, and never waits.
 * - `subscribe`: begins to listen; at most `capacity` events wait.
 *
 * @since 1.0.0
 * @category models
 */
export interface Events {
  readonly isHeard: boolean
  readonly publish: (event: Happened) => void
  readonly subscribe: (capacity: number) => Inbox
}
