/**
 * The session of one request: the operations of a handler, and what is saved when the response is ready. No HTTP: the
 * middleware gives it the facts of the request and carries its verdict to the response.
 *
 * Operations run through without a fiber's frame where the store needs no I/O. Fibers of the request share the session:
 * what waits for the store is counted, so that the commit can wait for it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import type { Owner } from "../../SessionBackend.js"
import {
  type SessionClosed,
  type SessionEnded,
  type SessionSchemaError,
  type SessionStoreError,
  TooManySessions
} from "../../SessionError.js"
import type { SessionKey, Struct } from "../../SessionKey.js"
import * as Time from "../edition/clock.js"
import { andThen, isDone, isExit, map } from "../edition/done.js"
import type { SessionStoreService } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import type { SessionConfig } from "../store/options.js"
import { Answer, type SaveFailure, type Verdict } from "./answer.js"
import { Changes } from "./changes.js"
import { change, failClosed, patchTexts, read, removeText, setText, textOf } from "./contents.js"
import type { Client, RequestContextService, SignedIn } from "./contract.js"
import { Draft } from "./draft.js"
import { isPassive, type RequestFacts } from "./facts.js"
import { InFlight } from "./inFlight.js"
import { modify } from "./modifying.js"
import { flushed, load, type Parts } from "./parts.js"
import * as Reporting from "./reporting.js"
import { type Full, save } from "./saving.js"
import { Stored } from "./stored.js"
import { textsOf } from "./struct.js"
import * as UserAgent from "./userAgent.js"

const none = Effect.succeed(Option.none<never>())

const lostInUpgrade =
  "a WebSocket was opened with changes of the session that need a cookie, which its handshake cannot carry: "
  + "they are lost; change the session in a request before"

export class RequestSession implements RequestContextService, Parts {
  readonly stored: Stored
  readonly draft: Draft
  readonly answer = new Answer()
  readonly inFlight = new InFlight()
  private isTouched = false
  private passive: boolean | undefined

  constructor(readonly store: SessionStoreService, readonly request: RequestFacts) {
    this.stored = new Stored(store, request)
    this.draft = new Draft(store, this.stored)
  }

  /** Whether the handler looked at the session at all: what the response says depends on the cookie then. */
  get touched(): boolean {
    return this.isTouched
  }

  get config(): SessionConfig {
    return this.store.config
  }

  get cookieName(): string {
    return this.config.name
  }

  /** The verdict on the response has yet to be given. */
  get isOpen(): boolean {
    return this.answer.verdict === undefined
  }

  get isPassive(): boolean {
    return this.passive ??= isPassive(this.config.isActivity, this.request.asked)
  }

  /** Neither logs nor inspectors print what the session holds, or what opens it. */
  toJSON(): unknown {
    return { _id: "effect-session/RequestContext" }
  }

  toString(): string {
    return "RequestContext(<redacted>)"
  }

  [NodeInspectSymbol](): string {
    return this.toString()
  }

  // ── operations on values ──

  get<A, I, R, Got>(key: SessionKey<A, I, R, Got>): Effect.Effect<Got, SessionStoreError | SessionSchemaError, R> {
    return this.operation((now) =>
      andThen(textOf(this, key.name, now), (text) => {
        if (text === undefined) return Effect.succeed(key.fromStored(Option.none()))
        return andThen(key.read(text), (read) => {
          if (!read.present) return Effect.succeed(key.fromStored(Option.none()))
          const got = key.fromStored(Option.some(read.value))
          if (!read.migrated) return Effect.succeed(got)
          return map(key.write(read.value), (current) => {
            this.draft.changes.migrate(key.name, text, current)
            return got
          })
        })
      })
    )
  }

  get keys(): Effect.Effect<ReadonlyArray<string>, SessionStoreError> {
    return this.operation((now) =>
      map(load(this, now), () => {
        const stored = [...this.stored.data?.keys() ?? []]
        return [...stored.filter((name) => this.draft.lookup(name) === undefined), ...this.draft.texts.keys()]
      })
    )
  }

  insert<A, I, R>(
    key: SessionKey<A, I, R, unknown>,
    value: A
  ): Effect.Effect<void, SessionSchemaError | SaveFailure | SessionClosed, R> {
    return this.operation((now) =>
      andThen(key.write(value), (text) => change(this, now, () => setText(this, key.name, text, now)))
    )
  }

  patch<Fields extends Struct.Fields>(
    struct: Struct<Fields>,
    changes: Struct.Patch<Fields>
  ): Effect.Effect<void, SessionSchemaError | SaveFailure | SessionClosed, Struct.Context<Fields>> {
    return this.operation((now) =>
      andThen(
        textsOf(struct, changes),
        (texts) => texts.size === 0 ? Effect.void : change(this, now, () => patchTexts(this, texts, now))
      )
    )
  }

  remove<A, I, R>(
    key: SessionKey<A, I, R, unknown>
  ): Effect.Effect<Option.Option<A>, SessionSchemaError | SaveFailure | SessionClosed, R> {
    return this.operation((now) =>
      andThen(textOf(this, key.name, now), (text) => {
        if (text === undefined) return none
        return andThen(change(this, now, () => removeText(this, key.name)), () => read(key, text))
      })
    )
  }

  modify<A, I, R, Got, B>(
    key: SessionKey<A, I, R, Got>,
    f: (current: Got) => readonly [B, Option.Option<A>]
  ): Effect.Effect<B, SessionSchemaError | SaveFailure | SessionClosed | SessionEnded, R> {
    return this.operation((now) => modify(this, { key, f, now }))
  }

  get clear(): Effect.Effect<void, SaveFailure | SessionClosed> {
    return this.operation((now) =>
      change(this, now, () => {
        const { _tag } = this.stored.state
        if (_tag === "Absent" || _tag === "Ended") this.draft.discard()
        else this.draft.clear()
        return Effect.void
      }, Effect.void)
    )
  }

  // ── operations on the session ──

  get renew(): Effect.Effect<void, SessionStoreError | SessionClosed> {
    return this.operation((now) =>
      andThen(load(this, now), (): Effect.Effect<void, SessionClosed> => {
        if (this.stored.state._tag !== "Found") return Effect.void
        if (this.answer.isClosed) return failClosed
        this.draft.renew(this.stored.data)
        return Effect.void
      })
    )
  }

  setExpiry(
    expiry: Duration.DurationInput | "browser-session"
  ): Effect.Effect<void, SaveFailure | SessionClosed> {
    return this.operation((now) =>
      andThen(load(this, now), (): Effect.Effect<void, SessionClosed> => {
        if (this.answer.isClosed) return failClosed
        this.draft.own = expiry === "browser-session"
          ? { idleMillis: undefined, persistent: false }
          : ExpiryPolicy.own(Duration.toMillis(expiry))
        return Effect.void
      })
    )
  }

  get flush(): Effect.Effect<void, SessionStoreError | SessionClosed> {
    return this.operation((now): Effect.Effect<void, SessionStoreError | SessionClosed> => {
      if (this.store.revocable) {
        return this.inFlight.exclusively(
          () => this.stored.isLoading ? load(this, now) : Effect.void,
          () => map(this.endAll(now), () => flushed(this))
        )
      }
      if (this.answer.isClosed && this.stored.cookie.present) return failClosed
      return map(this.endAll(now), () => flushed(this))
    })
  }

  /** Each is tried, so that as few as possible stay signed in where the store fails. */
  private endAll(now: number): Effect.Effect<void, SessionStoreError> {
    const { endings } = this.stored
    if (endings.length === 0) return Effect.void
    return endings.length === 1
      ? this.store.end(endings[0], now)
      : Effect.flatMap(
        Effect.forEach(endings, (ending) => Effect.exit(this.store.end(ending, now))),
        (ended) => Effect.asVoid(Effect.all(ended))
      )
  }

  get commit(): Effect.Effect<void, SaveFailure | SessionClosed> {
    return this.operation((now) => {
      if (this.answer.isClosed) return this.committed
      return this.inFlight.exclusively(
        () => this.stored.isLoading || this.needsLoad ? load(this, now) : Effect.void,
        () => this.answer.isClosed ? Effect.void : Effect.asVoid(save(this, now, undefined, true))
      )
    })
  }

  /** After the head every change is saved when it is made; what came before it shares the response's fate. */
  private get committed(): Effect.Effect<void, SaveFailure> {
    return Effect.flatMap(this.inFlight.settled, () => {
      const failure = this.answer.verdict?.failure
      return failure === undefined ? Effect.void : Effect.fail(failure)
    })
  }

  // ── signing in ──

  /** Saved at once, under a new id, because the bound on a subject's sessions has to give its answer now. */
  bind(subject: string, client?: Client): Effect.Effect<void, SaveFailure | SessionClosed | TooManySessions> {
    return this.operation((now): Effect.Effect<void, SaveFailure | SessionClosed | TooManySessions> => {
      if (this.answer.isClosed) return failClosed
      const owner: Owner = {
        subject,
        authenticatedAt: now,
        userAgent: UserAgent.bounded(client?.userAgent ?? this.request.userAgent),
        address: client?.address
      }
      return this.inFlight.exclusively(
        () => load(this, now),
        (): Effect.Effect<void, SaveFailure | SessionClosed | TooManySessions> =>
          this.answer.isClosed ? failClosed : andThen(
            this.signIn(now, owner),
            (full) => full === undefined ? Effect.void : Effect.fail(new TooManySessions({ limit: full.limit }))
          )
      )
    })
  }

  /** Where the session has ended in the meantime (signed out in another tab, revoked), the sign-in begins a new one. */
  private signIn(now: number, owner: Owner): Effect.Effect<Full | undefined, SaveFailure> {
    const { answer, draft, stored } = this
    const changes = new Changes()
    changes.absorb(draft.changes)
    const anew = () => {
      flushed(this)
      answer.ended() // a removal would hit the cookie of its successor
      draft.changes = changes
      return save(this, now, owner)
    }
    if (stored.state._tag === "Ended") return anew()
    return andThen(save(this, now, owner), (full) => stored.state._tag === "Ended" ? anew() : Effect.succeed(full))
  }

  get signedIn(): Effect.Effect<Option.Option<SignedIn>, SessionStoreError> {
    return this.operation((now) =>
      map(load(this, now), () => {
        const owner = this.stored.session?.owner
        return owner === undefined
          ? Option.none()
          : Option.some({ subject: owner.subject, authenticatedAt: owner.authenticatedAt })
      })
    )
  }

  get sessionId(): Effect.Effect<Option.Option<string>, SessionStoreError> {
    return this.operation((now) =>
      map(load(this, now), () => {
        const { state } = this.stored
        return state._tag === "Found" ? Option.some(state.id) : Option.none()
      })
    )
  }

  // ── every operation ──

  private operation<A, E, R>(run: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiberRuntime((fiber) => {
      this.isTouched = true
      const now = Time.now(fiber)
      const effect = this.store.events.isHeard ? Reporting.failures(this, run(now), now) : run(now)
      return isExit(effect) ? effect : this.inFlight.counted(effect)
    })
  }

  /** There is something to save that cannot be written to a session unseen, or not to any single one. */
  private get needsLoad(): boolean {
    const { draft, stored } = this
    return stored.state._tag === "Unloaded"
      && (draft.renewing || draft.own !== undefined || (!draft.changes.isEmpty && stored.token === undefined))
  }

  // ── the end of the request ──

  /**
   * The app takes the socket over, and there will be no response to carry a cookie. What can be saved without one is saved
   * now, and what is changed from here on at once. What would need one is lost, and reported.
   */
  get upgrade(): Effect.Effect<void, SaveFailure> {
    return Effect.withFiberRuntime((fiber) => {
      const now = Time.now(fiber)
      return this.inFlight.exclusively(
        () => this.stored.isLoading ? load(this, now) : Effect.void,
        () => {
          const { answer, draft, store, stored } = this
          const needsCookie = store.kind === "client" || stored.token === undefined || draft.renewing
            || draft.own !== undefined
          const isLost = answer.upgrade() || (needsCookie && draft.hasAny)
          if (!needsCookie) return Effect.asVoid(save(this, now, undefined))
          draft.drop()
          return isLost ? Effect.logError(lostInUpgrade) : Effect.void
        }
      )
    })
  }

  /** The head leaves, and nobody has asked for anything. */
  leave(): void {
    this.answer.leave()
  }

  /**
   * Decides and saves, once; asked again (a pre-response handler runs again after a failure) it returns the same. It is already
   * done where the store needs no I/O. `committing` is false where the response drops the changes.
   */
  finish(committing: boolean, now: number): Effect.Effect<Verdict> {
    const { verdict } = this.answer
    if (verdict !== undefined) return Effect.succeed(verdict)
    if (this.inFlight.isQuiet) return this.commitLast(committing, now)
    // After a write that is in progress (a fiber of the handler's commits): its cookie has to go out too.
    const later = Effect.withFiberRuntime<Verdict>((fiber) => this.commitLast(committing, Time.now(fiber)))
    return Effect.zipRight(this.inFlight.idle(this.config.storeTimeoutMillis), this.inFlight.afterWrites(later))
  }

  private commitLast(committing: boolean, now: number): Effect.Effect<Verdict> {
    const { answer } = this
    if (answer.verdict !== undefined) return Effect.succeed(answer.verdict)
    if (!committing || answer.isClosed) return Effect.succeed(this.giveVerdict(undefined))
    answer.close()
    const saved: Effect.Effect<unknown, SaveFailure> = andThen(
      this.needsLoad ? load(this, now) : Effect.void,
      () => save(this, now, undefined, true)
    )
    if (isDone(saved)) return Effect.succeed(this.giveVerdict(undefined))
    const answered = Effect.match(saved, {
      onSuccess: () => this.giveVerdict(undefined),
      onFailure: (failure) => {
        Reporting.failed(this, failure, now)
        return this.giveVerdict(failure)
      }
    })
    // What other fibers change from here on comes after it.
    return this.inFlight.hasWritten ? answered : this.inFlight.inTurn(answered)
  }

  private giveVerdict(failure: SaveFailure | undefined): Verdict {
    this.draft.drop()
    return this.answer.give(failure)
  }
}
