/**
 * The session of one request: what was loaded, what changed, and the operations on it. No HTTP; the middleware gives it
 * the cookie's values and carries its verdict to the response.
 *
 * One object a request, plain fields, and operations that run through without a fiber's frame where the store needs no
 * I/O. Fibers of the request share it: what waits for the store is counted, so that the commit can wait for it.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import { NodeInspectSymbol } from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Data, Expiry, Owner, Patch, StoredSession } from "../../SessionBackend.js"
import {
  SessionClosed,
  type SessionSchemaError,
  type SessionStoreError,
  type SessionTooLarge,
  TooManySessions
} from "../../SessionError.js"
import type { SessionKey } from "../../SessionKey.js"
import type { SessionConfig } from "../config/model.js"
import * as Time from "../edition/clock.js"
import { andThen, isDone, map } from "../edition/done.js"
import type { Empty, Found, Loaded, Saved, SessionStoreService } from "../store/contract.js"
import * as ExpiryPolicy from "../store/expiry.js"
import * as Metrics from "../store/metrics.js"
import { Changes, emptyContent } from "./changes.js"
import type { RequestContextService, SignedIn } from "./contract.js"
import { type Candidates, scan } from "./cookieHeader.js"
import { type Basis, decide } from "./decide.js"
import { Draft } from "./draft.js"
import { UnderWay } from "./inFlight.js"

/** What the cookie of this response is to be. */
export type CookieVerdict =
  | { readonly _tag: "None" }
  | { readonly _tag: "Remove" }
  | { readonly _tag: "Set"; readonly token: string; readonly maxAge: number | undefined }

/** What the response is to be: `failure` means a 503 in its place. */
export interface Verdict {
  readonly cookie: CookieVerdict
  readonly failure: SaveError | undefined
}

/** What the session takes from the request; getters, because most requests need none of it. */
export interface RequestFacts {
  readonly cookie: string | undefined
  readonly userAgent: string | undefined
  /** the head is the switch of protocols, and carries no cookie */
  readonly upgrade: boolean
}

export type SaveError = SessionStoreError | SessionTooLarge

const noCookie: CookieVerdict = { _tag: "None" }
const removeCookie: CookieVerdict = { _tag: "Remove" }

type Full = Extract<Saved, { _tag: "Full" }>

type State =
  | { readonly _tag: "Unloaded" }
  | { readonly _tag: "Absent" }
  | Found
  /** the store said that the session is gone: later writes end quietly */
  | { readonly _tag: "Ended" }

const unloaded: State = { _tag: "Unloaded" }
const absent: State = { _tag: "Absent" }
const ended: State = { _tag: "Ended" }

export class RequestSession implements RequestContextService {
  private state: State = unloaded
  private candidates: Candidates | undefined
  /** the one token to load, instead of the request's, after a save whose outcome the store could not tell in full */
  private savedToken: string | undefined
  private readonly draft: Draft
  private readonly underWay = new UnderWay()
  private loading: Effect.Effect<void, SessionStoreError> | undefined
  /** why there is no session */
  private emptyReason: Empty["reason"] | undefined
  /** what is changed now cannot go out with the head: it is being made ready, or has left */
  private closed: boolean
  /** sent whatever the status: what `commit` and `bind` saved, or the removal after a flush */
  private standing: CookieVerdict = noCookie
  private verdict: Verdict | undefined
  private isTouched = false

  constructor(
    private readonly store: SessionStoreService,
    readonly request: RequestFacts
  ) {
    this.closed = request.upgrade
    this.draft = new Draft(store)
  }

  /** Whether the handler looked at the session at all: what the response says depends on the cookie. */
  get touched(): boolean {
    return this.isTouched
  }

  get config(): SessionConfig {
    return this.store.config
  }

  get cookieName(): string {
    return this.config.name
  }

  /** The response is yet to be made ready. */
  get isUnderWay(): boolean {
    return this.verdict === undefined
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

  /** The head leaves, and nobody has asked for anything. */
  leave(): void {
    this.closed = true
    this.verdict = untouched
  }

  // ── operations ──

  get<A, I, R>(key: SessionKey<A, I, R>): Effect.Effect<Option.Option<A>, SessionStoreError | SessionSchemaError, R> {
    return this.operation((now) =>
      andThen(this.effective(key.name, now), (text) => {
        if (text === undefined) return none
        return andThen(key.read(text), (read) => {
          if (!read.present) return none
          if (!read.migrated) return Effect.succeed(Option.some(read.value))
          return map(key.write(read.value), (current) => {
            this.draft.changes.migrate(key.name, text, current)
            return Option.some(read.value)
          })
        })
      })
    )
  }

  get keys(): Effect.Effect<ReadonlyArray<string>, SessionStoreError> {
    return this.operation((now) =>
      map(this.load(now), () => {
        const stored = [...this.stored?.keys() ?? []]
        return [...stored.filter((name) => this.draft.lookup(name) === undefined), ...this.draft.texts.keys()]
      })
    )
  }

  insert<A, I, R>(
    key: SessionKey<A, I, R>,
    value: A
  ): Effect.Effect<void, SessionSchemaError | SaveError | SessionClosed, R> {
    return this.operation((now) =>
      andThen(key.write(value), (text) => this.change(now, () => this.setText(key.name, text, now)))
    )
  }

  remove<A, I, R>(
    key: SessionKey<A, I, R>
  ): Effect.Effect<Option.Option<A>, SessionSchemaError | SaveError | SessionClosed, R> {
    return this.operation((now) =>
      andThen(this.effective(key.name, now), (text) => {
        if (text === undefined) return none
        return andThen(
          this.change(now, () => this.removeText(key.name)),
          () => map(key.read(text), (read) => read.present ? Option.some(read.value) : Option.none())
        )
      })
    )
  }

  get clear(): Effect.Effect<void, SaveError | SessionClosed> {
    return this.operation((now) =>
      this.change(now, () => {
        if (this.state._tag === "Absent" || this.state._tag === "Ended") this.draft.discard()
        else this.draft.clear()
        return Effect.void
      }, Effect.void)
    )
  }

  get renew(): Effect.Effect<void, SessionStoreError | SessionClosed> {
    return this.operation((now) =>
      andThen(this.load(now), (): Effect.Effect<void, SessionClosed> => {
        if (this.state._tag !== "Found") return Effect.void
        if (this.closed) return failClosed
        this.draft.renewing = true
        return Effect.void
      })
    )
  }

  setExpiry(
    expiry: Duration.DurationInput | "browser-session"
  ): Effect.Effect<void, SaveError | SessionClosed> {
    return this.operation((now) =>
      andThen(this.load(now), (): Effect.Effect<void, SessionClosed> => {
        if (this.closed) return failClosed
        this.draft.own = expiry === "browser-session"
          ? { idleMillis: undefined, persistent: false }
          : ExpiryPolicy.own(Duration.toMillis(expiry))
        return Effect.void
      })
    )
  }

  get flush(): Effect.Effect<void, SessionStoreError | SessionClosed> {
    return this.operation((now): Effect.Effect<void, SessionStoreError | SessionClosed> => {
      if (this.store.kind === "server") {
        return this.underWay.exclusively(
          () => this.loadToEnd(now),
          () => map(this.endStored(now), () => this.forget())
        )
      }
      if (this.closed && this.cookie().present) return failClosed
      this.forget()
      return Effect.void
    })
  }

  get commit(): Effect.Effect<void, SaveError | SessionClosed> {
    return this.operation((now) => {
      if (this.closed) return this.committed
      return this.underWay.exclusively(
        () => this.loading !== undefined || this.needsLoad() ? this.load(now) : Effect.void,
        () => this.closed ? Effect.void : Effect.asVoid(this.saveNow(now, undefined))
      )
    })
  }

  modify<A, I, R, B>(
    key: SessionKey<A, I, R>,
    f: (current: Option.Option<A>) => readonly [B, Option.Option<A>]
  ): Effect.Effect<B, SessionSchemaError | SaveError | SessionClosed, R> {
    return this.operation((now) => this.modifyNow(key, f, now))
  }

  /** Signs in: under a new id, at once, because the bound on a subject's sessions has to answer now. */
  bind(
    subject: string,
    client?: { readonly userAgent?: string | undefined; readonly address?: string | undefined }
  ): Effect.Effect<void, SaveError | SessionClosed | TooManySessions> {
    return this.operation((now): Effect.Effect<void, SaveError | SessionClosed | TooManySessions> => {
      if (this.closed) return failClosed
      const owner: Owner = {
        subject,
        authenticatedAt: now,
        userAgent: client?.userAgent ?? this.request.userAgent,
        address: client?.address
      }
      return this.underWay.exclusively(
        () => this.load(now),
        (): Effect.Effect<void, SaveError | SessionClosed | TooManySessions> =>
          this.closed ? failClosed : andThen(
            this.signIn(now, owner),
            (full) => full === undefined ? Effect.void : Effect.fail(new TooManySessions({ limit: full.limit }))
          )
      )
    })
  }

  /** Where the session has ended meanwhile (signed out in another tab, revoked), the sign-in begins a new one. */
  private signIn(now: number, owner: Owner): Effect.Effect<Full | undefined, SaveError> {
    const changes = new Changes()
    changes.absorb(this.draft.changes)
    const anew = () => {
      this.forget()
      this.standing = noCookie // a removal would kill the cookie of its successor
      this.draft.changes = changes
      return this.saveNow(now, owner)
    }
    if (this.state._tag === "Ended") return anew()
    return andThen(this.saveNow(now, owner), (full) => this.state._tag === "Ended" ? anew() : Effect.succeed(full))
  }

  get signedIn(): Effect.Effect<Option.Option<SignedIn>, SessionStoreError> {
    return this.operation((now) =>
      map(this.load(now), () => {
        const owner = this.state._tag === "Found" ? this.state.session.owner : undefined
        return owner === undefined
          ? Option.none()
          : Option.some({ subject: owner.subject, authenticatedAt: owner.authenticatedAt })
      })
    )
  }

  get sessionId(): Effect.Effect<Option.Option<string>, SessionStoreError> {
    return this.operation((now) =>
      map(this.load(now), () => this.state._tag === "Found" ? Option.some(this.state.id) : Option.none())
    )
  }

  // ── the end of the request ──

  /**
   * Decides and saves, once; asked again (a pre-response handler runs again after a failure) it answers the same.
   * `committing` is false where the response drops the changes.
   */
  finish(committing: boolean): Effect.Effect<Verdict> {
    return Effect.withFiberRuntime((fiber) => this.finishAt(committing, Time.now(fiber)))
  }

  /** {@link finish} for who knows the time; already done where the store needs no I/O. */
  finishAt(committing: boolean, now: number): Effect.Effect<Verdict> {
    if (this.verdict !== undefined) return Effect.succeed(this.verdict)
    if (this.underWay.isQuiet) return this.conclude(committing, now)
    // After a write that is still under way (a fiber of the handler's commits): its cookie has to go out too.
    const conclude = Effect.withFiberRuntime<Verdict>((fiber) => this.conclude(committing, Time.now(fiber)))
    return Effect.zipRight(this.underWay.idle(this.config.storeTimeoutMillis), this.underWay.afterWrites(conclude))
  }

  private conclude(committing: boolean, now: number): Effect.Effect<Verdict> {
    if (this.verdict !== undefined) return Effect.succeed(this.verdict)
    if (!committing || this.closed) return Effect.succeed(this.close(undefined))
    this.closed = true
    const saved: Effect.Effect<unknown, SaveError> = this.needsLoad()
      ? andThen(this.load(now), () => this.saveNow(now, undefined))
      : this.saveNow(now, undefined)
    if (isDone(saved)) return Effect.succeed(this.close(undefined))
    const concluded = Effect.match(saved, {
      onSuccess: () => this.close(undefined),
      onFailure: (error) => this.close(error)
    })
    // What other fibers change from here on comes after it.
    return this.underWay.hasWritten ? concluded : this.underWay.inTurn(concluded)
  }

  private close(failure: SaveError | undefined): Verdict {
    this.closed = true
    this.draft.drop()
    const cookie = this.standing._tag === "None" && failure === undefined && this.isForged()
      ? removeCookie
      : this.standing
    return this.verdict = { cookie, failure }
  }

  /** The browser holds values of the name, and none of them is of ours: it may forget them (row M6). */
  private isForged(): boolean {
    const candidates = this.candidates
    if (candidates === undefined || !candidates.present || this.state._tag !== "Absent") return false
    return candidates.tokens.length === 0 ? candidates.malformed : this.emptyReason === "NotAuthentic"
  }

  // ── reading ──

  private operation<A, E, R>(run: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.withFiberRuntime((fiber) => {
      this.isTouched = true
      const effect = run(Time.now(fiber))
      return Exit.isExit(effect) ? effect : this.underWay.counted(effect)
    })
  }

  /** The text under a key as this request sees it; undefined when there is none. */
  private effective(name: string, now: number): Effect.Effect<string | undefined, SessionStoreError> {
    const pending = this.draft.lookup(name)
    if (pending !== undefined) return Effect.succeed(pending ?? undefined)
    return map(this.load(now), () => this.draft.visible(name, this.stored))
  }

  /** One load for all fibers of the request; one that failed is not remembered. */
  private load(now: number): Effect.Effect<void, SessionStoreError> {
    if (this.state._tag === "Found" && this.closed && ExpiryPolicy.isExpired(this.config, this.state.session, now)) {
      this.end() // a socket or a stream may outlive its session by hours
    }
    if (this.state._tag !== "Unloaded") return Effect.void
    if (this.loading !== undefined) return this.loading
    const tokens = this.savedToken !== undefined ? [this.savedToken] : this.cookie().tokens
    if (tokens.length === 0) {
      return this.loaded({
        _tag: "Empty",
        reason: this.cookie().malformed ? "Malformed" : "Absent",
        warning: undefined
      })
    }
    const loading = this.store.load(tokens, now)
    if (isDone(loading)) return this.loaded(loading.value)
    // In a fiber of its own: interrupting the operation that came first must not fail or hang those that wait with it.
    const done = Deferred.unsafeMake<void, SessionStoreError>(FiberId.none)
    let started = false
    const shared: Effect.Effect<void, SessionStoreError> = Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
      if (!started) {
        started = true
        const runFork = Runtime.runFork(
          Runtime.make({ context: fiber.currentContext, fiberRefs: fiber.getFiberRefs(), runtimeFlags })
        )
        const current = Effect.flatMap(loading, (result) => this.loading === shared ? this.loaded(result) : Effect.void)
        runFork(Effect.exit(current)).addObserver((exit) => {
          if (this.loading === shared) this.loading = undefined
          Deferred.unsafeDone(done, Exit.flatten(exit))
        })
      }
      // Outdated by a save that came in between, it is loaded anew.
      return Effect.zipRight(Deferred.await(done), Effect.suspend(() => this.load(now)))
    })
    return this.loading = shared
  }

  private loaded(result: Loaded): Effect.Effect<void> {
    if (this.state._tag !== "Unloaded") return Effect.void // a modify or a flush was faster, and knows better
    this.draft.unweigh()
    if (result._tag === "Found") {
      this.state = result
      Metrics.loaded("Found")
      return Effect.void
    }
    this.state = this.savedToken === undefined ? absent : ended
    this.emptyReason = result.reason
    Metrics.loaded(result.reason)
    return result.warning === undefined ? Effect.void : Effect.logWarning(result.warning)
  }

  private get stored(): Data | undefined {
    return this.state._tag === "Found" ? this.state.session.data : undefined
  }

  private cookie(): Candidates {
    const { maxDuplicates, name } = this.config
    return this.candidates ??= scan(this.request.cookie, name, maxDuplicates, this.store.wellFormed)
  }

  /** The token to write to without a load: server stores, and only where the request names one session. */
  private blindToken(): string | undefined {
    if (this.savedToken !== undefined) return this.savedToken
    const { tokens } = this.cookie()
    return this.store.kind === "server" && tokens.length === 1 ? tokens[0] : undefined
  }

  private knownToken(): string | undefined {
    return this.state._tag === "Found"
      ? this.state.token
      : this.state._tag === "Unloaded"
      ? this.blindToken()
      : undefined
  }

  // ── changing ──

  /**
   * Before the head: remembered. After it: on a server store with a known id saved at once, else `SessionClosed`.
   */
  private change<E, R>(
    now: number,
    apply: () => Effect.Effect<void, E, R>,
    whenAbsent: Effect.Effect<void, SessionClosed> = failClosed
  ): Effect.Effect<void, E | SaveError | SessionClosed, R> {
    if (!this.closed) return apply()
    return this.underWay.exclusively(
      () => this.load(now),
      (): Effect.Effect<void, E | SaveError | SessionClosed, R> => {
        if (this.state._tag === "Ended") return Effect.void
        if (this.state._tag !== "Found") return whenAbsent
        if (this.store.kind === "client") return failClosed
        // What could not be saved was reported as failed, and must not come along with a later change.
        const discard = () =>
          Effect.sync(() => {
            this.draft.discard()
          })
        return Effect.tapErrorCause(andThen(apply(), () => this.saveNow(now, undefined)), discard)
      }
    )
  }

  private setText(name: string, text: string, now: number): Effect.Effect<void, SessionStoreError | SessionTooLarge> {
    // The size of a sealed session is known only with what it already holds.
    if (this.store.kind === "client" && this.state._tag === "Unloaded") {
      return andThen(this.load(now), () => this.setText(name, text, now))
    }
    const error = this.draft.set(name, text, this.stored)
    return error === undefined ? Effect.void : Effect.fail(error)
  }

  private removeText(name: string): Effect.Effect<void> {
    this.draft.remove(name, this.stored)
    return Effect.void
  }

  private modifyNow<A, I, R, B>(
    key: SessionKey<A, I, R>,
    f: (current: Option.Option<A>) => readonly [B, Option.Option<A>],
    now: number
  ): Effect.Effect<B, SessionSchemaError | SaveError | SessionClosed, R> {
    if (this.store.kind === "client") return this.modifyLocally(key, f, now)
    if (this.draft.lookup(key.name) !== undefined) {
      // Pending after the head is what is being saved: modified where it will be.
      return this.closed && this.draft.isBeingSaved
        ? Effect.flatMap(this.settled, () => this.modifyNow(key, f, now))
        : this.modifyLocally(key, f, now)
    }
    const token = this.knownToken()
    if (token !== undefined) return this.modifyStored(token, key, f, now)
    return andThen(
      this.load(now),
      () =>
        this.state._tag === "Found" ? this.modifyStored(this.state.token, key, f, now) : this.modifyLocally(key, f, now)
    )
  }

  private modifyLocally<A, I, R, B>(
    key: SessionKey<A, I, R>,
    f: (current: Option.Option<A>) => readonly [B, Option.Option<A>],
    now: number
  ): Effect.Effect<B, SessionSchemaError | SaveError | SessionClosed, R> {
    return andThen(this.effective(key.name, now), (text) =>
      andThen(readText(key, text), (current) => {
        const [value, next] = f(current)
        const writing = Option.isNone(next) ? done : key.write(next.value)
        return andThen(writing, (written) => {
          // Where the schema takes its time, another fiber of the request may have been faster.
          if (this.draft.visible(key.name, this.stored) !== text) return this.modifyNow(key, f, now)
          if (written === text) return Effect.succeed(value)
          const change = () => written === undefined ? this.removeText(key.name) : this.setText(key.name, written, now)
          return map(this.change(now, change), () => value)
        })
      }))
  }

  private modifyStored<A, I, R, B>(
    token: string,
    key: SessionKey<A, I, R>,
    f: (current: Option.Option<A>) => readonly [B, Option.Option<A>],
    now: number
  ): Effect.Effect<B, SessionSchemaError | SaveError | SessionClosed, R> {
    const maxBytes = this.config.maxSessionBytes
    const before = this.state
    const loaded = before._tag === "Found" ? before.session : undefined
    const step = (session: StoredSession): Effect.Effect<
      readonly [B, Option.Option<Patch>],
      SessionSchemaError | SessionTooLarge,
      R
    > => {
      const text = session.data.get(key.name)
      return andThen(readText(key, text), (current) => {
        const [value, next] = f(current)
        if (Option.isNone(next)) {
          const patch: Patch = { ...emptyContent, remove: new Set([key.name]), expiry: undefined, maxBytes }
          return Effect.succeed([value, text === undefined ? Option.none() : Option.some(patch)] as const)
        }
        return andThen(key.write(next.value), (written) => {
          if (written === text) return Effect.succeed([value, Option.none()] as const)
          const error = this.draft.tooLargeWith(session.data, key.name, written)
          if (error !== undefined) return Effect.fail(error)
          const patch: Patch = { ...emptyContent, set: new Map([[key.name, written]]), expiry: undefined, maxBytes }
          return Effect.succeed([value, Option.some(patch)] as const)
        })
      })
    }
    return Effect.flatMap(this.store.modify(token, loaded, step), (modified) => {
      if (modified._tag === "Modified") {
        // Not where another fiber of the request has renewed or flushed the session since.
        if (this.knownToken() === token) {
          const { id, session } = modified
          if (this.state === before || this.state._tag === "Found") this.found(token, id, session)
          else this.loading = undefined // it may have been answered before
          if (modified.moved && (session.persistent || loaded?.persistent === true)) this.send(token, session, now)
        }
        return Effect.succeed(modified.value)
      }
      return Effect.flatMap(this.settled, () => {
        // Another fiber of the request has renewed or flushed it: what became of it is to be modified.
        if (this.knownToken() !== token) return this.modifyNow(key, f, now)
        // The request's token is unknown to the store: as good as none.
        if (loaded === undefined && this.savedToken === undefined) return this.modifyLocally(key, f, now)
        // Known, and meanwhile gone: ends quietly, with the answer that the handler's view of the session gives.
        this.end()
        return andThen(readText(key, loaded?.data.get(key.name)), (current) => Effect.succeed(f(current)[0]))
      })
    })
  }

  // ── saving ──

  /** There is something to save that cannot be written to a session unseen, or no one session to write it to. */
  private needsLoad(): boolean {
    return this.state._tag === "Unloaded"
      && (this.draft.renewing || this.draft.own !== undefined
        || (!this.draft.changes.isEmpty && this.blindToken() === undefined))
  }

  /** No write of this request is under way. */
  private get settled(): Effect.Effect<void> {
    return this.underWay.afterWrites(Effect.void)
  }

  /** After the head every change is saved when it is made; what came before it shares the response's fate. */
  private get committed(): Effect.Effect<void, SaveError> {
    return Effect.flatMap(this.settled, () => {
      const failure = this.verdict?.failure
      return failure === undefined ? Effect.void : Effect.fail(failure)
    })
  }

  private loadToEnd(now: number): Effect.Effect<void, SessionStoreError> {
    return this.loading === undefined && this.knownToken() !== undefined ? Effect.void : this.load(now)
  }

  private endStored(now: number): Effect.Effect<void, SessionStoreError> {
    if (this.state._tag === "Found") return this.store.end(this.state, now)
    const token = this.knownToken()
    return token === undefined ? Effect.void : this.store.end({ token, session: undefined }, now)
  }

  /** After a flush nothing of the session is left; a later insert starts a new one. */
  private forget(): void {
    this.state = absent
    this.savedToken = undefined
    this.emptyReason = undefined
    this.draft.drop()
    this.standing = this.cookie().present ? removeCookie : noCookie
  }

  private end(): void {
    this.state = ended
    this.draft.drop()
    this.standing = noCookie
    Metrics.ended()
  }

  private basis(): Basis | undefined {
    switch (this.state._tag) {
      case "Found":
        return this.state
      case "Ended":
        return undefined
      case "Absent":
        return { _tag: "None" }
      case "Unloaded": {
        const token = this.blindToken()
        return token === undefined ? { _tag: "None" } : { _tag: "Token", token }
      }
    }
  }

  /** Decides and carries it out: the one place where a session is saved. Only a sign-in can find the store `Full`. */
  private saveNow(now: number, owner: Owner | undefined): Effect.Effect<Full | undefined, SaveError> {
    const basis = this.basis()
    if (basis === undefined) {
      this.draft.discard()
      return done
    }
    const taken = this.draft.peek(this.stored)
    const marks = { renew: taken.renewing, own: taken.own, owner }
    const decision = decide(this.config, basis, taken.changes, marks, now)
    if (decision._tag === "Nothing") return done
    this.draft.take(taken)
    const undo = () => this.draft.undo(taken)
    const settle = (saved: Saved): Full | undefined => {
      if (saved._tag === "Full") {
        undo()
        return saved
      }
      this.draft.saved()
      this.settle(saved, basis, now)
      return undefined
    }
    const saving = andThen(
      this.store.save(decision.save, now),
      (saved) =>
        saved._tag === "Conflict" && decision.without !== undefined
          ? this.store.save(decision.without, now)
          : Effect.succeed(saved)
    )
    if (isDone(saving)) return Effect.succeed(settle(saving.value))
    const saved = Effect.onExit(saving, (exit) => exit._tag === "Success" ? Effect.void : Effect.sync(undo))
    if (!decision.mere) return Effect.map(saved, settle)
    // A mere refresh that failed is no failed commit: the session stands as it was (row M5).
    return Effect.matchEffect(saved, {
      onSuccess: (result) => Effect.succeed(settle(result)),
      onFailure: (error) => Effect.as(Effect.logWarning("the session could not be refreshed", error.message), undefined)
    })
  }

  private settle(saved: Exclude<Saved, Full>, basis: Basis, now: number): void {
    switch (saved._tag) {
      case "Ended":
        return this.end()
      case "Missing":
        // Never loaded, not there, and nothing to start a new one with.
        this.state = absent
        this.emptyReason = "Unknown"
        this.draft.unweigh()
        return
      case "Conflict":
        return // migrated values that another request has overwritten
      case "Saved": {
        const before = basis._tag === "None" ? undefined : basis.token
        const wasPersistent = basis._tag === "Found" ? basis.session.persistent : saved.expiry.persistent
        if (saved.session === undefined) {
          this.savedToken = saved.token
          this.state = { _tag: "Unloaded" } // another than before: what is answered late must not pass for what is now
          this.loading = undefined
          this.draft.unweigh()
        } else {
          this.savedToken = undefined
          this.found(saved.token, saved.id, saved.session)
        }
        const moved = saved.moved && (saved.expiry.persistent || wasPersistent)
        if (saved.token !== before || moved) this.send(saved.token, saved.expiry, now)
      }
    }
  }

  /** The session as a write left it. Answers may arrive out of order: the later version of the record stays. */
  private found(token: string, id: string, session: StoredSession): void {
    const { state } = this
    if (state._tag === "Found" && state.token === token && state.session.version > session.version) return
    this.state = { _tag: "Found", token, id, session, reseal: false }
    this.draft.unweigh()
  }

  private send(token: string, expiry: Expiry, now: number): void {
    if (this.verdict !== undefined || this.request.upgrade) return
    this.standing = { _tag: "Set", token, maxAge: ExpiryPolicy.maxAge(expiry, now) }
  }
}

const untouched: Verdict = { cookie: noCookie, failure: undefined }
const done = Effect.succeed(undefined)
const none = Effect.succeed(Option.none<never>())
const failClosed: Effect.Effect<never, SessionClosed> = Effect.suspend(() => Effect.fail(new SessionClosed()))

const readText = <A, I, R>(
  key: SessionKey<A, I, R>,
  text: string | undefined
): Effect.Effect<Option.Option<A>, SessionSchemaError, R> =>
  text === undefined
    ? none
    : map(key.read(text), (read) => read.present ? Option.some(read.value) : Option.none())
