/**
 * The session that the request came with, as far as it is known by now: looked up at most once, by the first operation that
 * needs it, for all fibers of the request.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Data, StoredSession } from "../../SessionBackend.js"
import type { SessionStoreError } from "../../SessionError.js"
import { isDone } from "../edition/done.js"
import { deferred, fork } from "../edition/fork.js"
import type { Base, Found, Loaded, SessionStoreService } from "../store/contract.js"
import * as Metrics from "../store/metrics.js"
import { type Candidates, scan } from "./cookieHeader.js"
import type { Basis } from "./decide.js"
import type { RequestFacts } from "./facts.js"
import * as Reporting from "./reporting.js"

/**
 * - `Unloaded`: not looked up yet. `saved` is the one token to look up, instead of the request's, after a save whose outcome
 *   the store could not report in full; `loading` is the look-up that is in progress.
 * - `Absent`: there is none; the next write starts a new one.
 * - `Found`: the record as it was loaded or last written.
 * - `Ended`: it was known and is gone; what is written later ends quietly.
 */
type State = Unloaded | { readonly _tag: "Absent" } | Found | { readonly _tag: "Ended" }

class Unloaded {
  readonly _tag = "Unloaded"
  loading: Effect.Effect<void, SessionStoreError> | undefined

  constructor(readonly saved: string | undefined) {}
}

const absent: State = { _tag: "Absent" }
const ended: State = { _tag: "Ended" }

export class Stored {
  private current: State = new Unloaded(undefined)
  private candidates: Candidates | undefined

  constructor(private readonly store: SessionStoreService, private readonly facts: RequestFacts) {}

  get state(): State {
    return this.current
  }

  /** The record, where it is known. */
  get session(): StoredSession | undefined {
    return this.current._tag === "Found" ? this.current.session : undefined
  }

  get data(): Data | undefined {
    return this.session?.data
  }

  get isLoading(): boolean {
    return this.current._tag === "Unloaded" && this.current.loading !== undefined
  }

  /** The values of the session's cookie in the request. */
  get cookie(): Candidates {
    const { maxDuplicates, name } = this.store.config
    return this.candidates ??= scan(this.facts.cookie, name, maxDuplicates, this.store.wellFormed)
  }

  /**
   * The token of the session, loaded or not. A session that was not loaded has one only on a server store, and only where
   * the request names a single session.
   */
  get token(): string | undefined {
    const state = this.current
    if (state._tag === "Found") return state.token
    if (state._tag !== "Unloaded") return undefined
    if (state.saved !== undefined) return state.saved
    const { tokens } = this.cookie
    return this.store.kind === "server" && tokens.length === 1 ? tokens[0] : undefined
  }

  /** Known only by what the browser sent: neither the store nor this request has ever vouched for it. */
  get isUnseen(): boolean {
    return this.current._tag === "Unloaded" && this.current.saved === undefined
  }

  /** What a save starts from; undefined when the session has ended and nothing can be saved. */
  get basis(): Basis | undefined {
    if (this.current._tag === "Found") return this.current
    if (this.current._tag === "Ended") return undefined
    const { token } = this
    return token === undefined ? { _tag: "None" } : { _tag: "Token", token }
  }

  /**
   * What a flush ends: every session that the request names. A browser may send several cookies of the name, and none of
   * them may stay signed in. Of an id that was renewed away the store ends the successor.
   */
  get endings(): ReadonlyArray<Base> {
    const state = this.current
    if (state._tag === "Absent") return []
    const known: Base | undefined = state._tag === "Found"
      ? state
      : state._tag === "Unloaded" && state.saved !== undefined
      ? { token: state.saved, session: undefined }
      : undefined
    const others = this.cookie.tokens.filter((token) => token !== known?.token)
    const endings = others.map((token): Base => ({ token, session: undefined }))
    return known === undefined ? endings : [known, ...endings]
  }

  // ── looking it up ──

  /** One look-up for all fibers of the request; one that failed is not remembered. */
  load(now: number): Effect.Effect<void, SessionStoreError> {
    const state = this.current
    if (state._tag !== "Unloaded") return Effect.void
    if (state.loading !== undefined) return state.loading
    const tokens = state.saved === undefined ? this.cookie.tokens : [state.saved]
    if (tokens.length === 0) {
      const reason = this.cookie.malformed ? "Malformed" : "Absent"
      return this.loaded(state, { _tag: "Empty", reason, warning: undefined }, now)
    }
    const loading = this.store.load(tokens, now)
    return isDone(loading) ? this.loaded(state, loading.value, now) : this.share(state, loading, now)
  }

  /** In a fiber of its own: interrupting the operation that came first must neither fail nor hang those that wait with it. */
  private share(
    state: Unloaded,
    loading: Effect.Effect<Loaded, SessionStoreError>,
    now: number
  ): Effect.Effect<void, SessionStoreError> {
    const done = deferred<void, SessionStoreError>()
    let started = false
    return state.loading = Effect.withFiberRuntime((fiber) => {
      if (!started) {
        started = true
        const settled = Effect.flatMap(loading, (result) => this.loaded(state, result, now))
        fork(settled, (exit) => {
          state.loading = undefined
          Deferred.unsafeDone(done, exit)
        }, fiber)
      }
      // A save that came in between has made the answer out of date: the session is looked up again.
      return Effect.zipRight(Deferred.await(done), Effect.suspend(() => this.load(now)))
    })
  }

  /** An answer counts only for the state that asked: a modify or a flush may have been faster, and knows better. */
  private loaded(asked: Unloaded, result: Loaded, now: number): Effect.Effect<void> {
    if (this.current !== asked) return Effect.void
    if (result._tag === "Found") {
      this.current = result
      Metrics.loaded("Found")
      return Effect.void
    }
    // An id that was renewed away names a session that this request must not see, and must not replace either.
    this.current = asked.saved === undefined && result.reason !== "Renewed" ? absent : ended
    Metrics.loaded(result.reason)
    Reporting.notFound(this.store, result, now)
    return result.warning === undefined ? Effect.void : Effect.logWarning(result.warning)
  }

  // ── what became of it ──

  /** The record as a write left it. Answers may arrive out of order: the later version stays. */
  found(token: string, id: string, session: StoredSession): void {
    const state = this.current
    if (state._tag === "Found" && state.token === token && state.session.version > session.version) return
    this.current = { _tag: "Found", token, id, session, reseal: false }
  }

  /** Written under this token; what the record holds now has to be looked up. */
  written(token: string): void {
    this.current = new Unloaded(token)
  }

  /** It may have changed since the look-up that is in progress was started: that answer does not count. */
  outdated(): void {
    if (this.current._tag === "Unloaded") this.current = new Unloaded(this.current.saved)
  }

  /** Never loaded, and the store does not know it. */
  unknown(): void {
    this.current = absent
    Metrics.loaded("Unknown")
  }

  /** Known, and gone. */
  ended(): void {
    this.current = ended
    Metrics.ended()
  }

  /** The handler ended it; the next write starts a new one. */
  flushed(): void {
    this.current = absent
  }
}
