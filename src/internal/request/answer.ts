/**
 * Which cookie the browser gets. Whatever happens to the session is reported here, and here alone it is
 * decided which cookie goes out.
 */
import type { Expiry } from "../../SessionBackend.js"
import type { SessionStoreError, SessionTooLarge } from "../../SessionError.js"
import * as ExpiryPolicy from "../store/expiry.js"

/** The cookie of the response. */
export type CookieVerdict =
  | { readonly _tag: "None" }
  | { readonly _tag: "Remove" }
  | { readonly _tag: "Set"; readonly token: string; readonly maxAge: number | undefined }

/** The response as it goes out: `failure` means a 503 in its place. */
export interface Verdict {
  readonly cookie: CookieVerdict
  readonly failure: SaveFailure | undefined
}

/** Why a save was not made. */
export type SaveFailure = SessionStoreError | SessionTooLarge

/** A save that went well. */
export interface Written {
  readonly token: string
  readonly expiry: Expiry
  /** this save moved the session's times */
  readonly moved: boolean
}

/** What the browser held before it. */
export interface Held {
  readonly token: string
  readonly persistent: boolean
}

const noCookie: CookieVerdict = { _tag: "None" }
const removeCookie: CookieVerdict = { _tag: "Remove" }
const untouched: Verdict = { cookie: noCookie, failure: undefined }

export class Answer {
  /** what is changed from here on cannot go out with the head: it is being made ready, or has left */
  private closed = false
  /** sent whatever the status: what `commit` and `bind` have saved, or the removal after a flush */
  private cookie: CookieVerdict = noCookie
  /** the cookie only gives the browser the token that another response has given it already */
  private isRepeated = false
  private upgraded = false
  private given: Verdict | undefined

  get isClosed(): boolean {
    return this.closed
  }

  /** The verdict, once it has been given. */
  get verdict(): Verdict | undefined {
    return this.given
  }

  // ── what happened to the session ──

  /**
   * A cookie goes out when the token is another one, or when the Max-Age that the browser holds is out of date. After the
   * verdict none can, and the head of an upgrade has no place for one.
   */
  written({ expiry, moved, token }: Written, before: Held | undefined, now: number): void {
    if (this.given !== undefined || this.upgraded) return
    const isOutdated = moved && (expiry.persistent || before?.persistent === true)
    if (token === before?.token && !isOutdated) return
    this.isRepeated = false
    this.cookie = { _tag: "Set", token, maxAge: ExpiryPolicy.maxAge(expiry, now) }
  }

  /** The request came with a token that leads to another one. The browser gets that, unless something else goes out. */
  followed(token: string, expiry: Expiry, now: number): void {
    if (this.given !== undefined || this.upgraded || this.cookie._tag !== "None") return
    this.isRepeated = true
    this.cookie = { _tag: "Set", token, maxAge: ExpiryPolicy.maxAge(expiry, now) }
  }

  /** The session was found to be gone. A removal could hit the cookie of its successor, so that nothing is sent. */
  ended(): void {
    this.cookie = noCookie
  }

  /** The handler ended the session; there is something to remove only where the browser sent something. */
  flushed(hadCookie: boolean): void {
    this.cookie = hadCookie ? removeCookie : noCookie
  }

  // ── the end of the request ──

  /** No change can reach the head from here on. */
  close(): void {
    this.closed = true
  }

  /** The socket is taken over: no cookie goes out any more. Returns whether one was to. */
  upgrade(): boolean {
    const hadCookie = this.cookie._tag !== "None" && !this.isRepeated
    this.closed = true
    this.upgraded = true
    this.cookie = noCookie
    return hadCookie
  }

  /** The head leaves, and nobody has asked for the session. */
  leave(): void {
    this.closed = true
    this.given = untouched
  }

  give(failure: SaveFailure | undefined): Verdict {
    this.closed = true
    return this.given = { cookie: this.cookie, failure }
  }
}
