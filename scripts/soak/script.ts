/**
 * What a request of the soak asks its handler to do, and what the server reports about it: shared by the server, which
 * carries scripts out, and the model, which knows what they must give.
 */

export const names = ["memory", "cookie", "redis", "postgres", "mysql", "sqlite", "files"] as const

export type Name = typeof names[number]

/** A fault that is built in on purpose, to see that the soak finds it. */
export const plants = ["dropped-save", "commit-always"] as const

export type Plant = typeof plants[number]

export type Value = string | number

/**
 * - `remember`: `setExpiry`, to 30 days or back to a cookie without Max-Age.
 * - `sleep`: the handler waits and can be interrupted. `burn`: it keeps the thread and cannot.
 */
export type Step =
  | { readonly op: "read" }
  | { readonly op: "insert"; readonly key: string; readonly value: string }
  | { readonly op: "remove"; readonly key: string }
  | { readonly op: "clear" }
  | { readonly op: "modify" }
  | { readonly op: "renew" }
  | { readonly op: "remember"; readonly persistent: boolean }
  | { readonly op: "signIn"; readonly subject: string }
  | { readonly op: "signOut" }
  | { readonly op: "list"; readonly subject: string }
  | { readonly op: "revoke"; readonly subject: string; readonly id: string }
  | { readonly op: "revokeOthers"; readonly subject: string }
  | { readonly op: "commit" }
  | { readonly op: "sleep"; readonly millis: number }
  | { readonly op: "burn"; readonly millis: number }

/** `steps` run before the head of the response; `stream`, where there is one, while its body is sent. */
export interface Script {
  readonly steps: ReadonlyArray<Step>
  readonly stream: ReadonlyArray<Step> | undefined
  readonly status: number
}

/** What a step gave. A step that failed has the tag of its error. */
export type Result =
  | { readonly values: Readonly<Record<string, Value>>; readonly subject: string | null; readonly id: string | null }
  | { readonly value: Value | boolean | null }
  | { readonly ids: ReadonlyArray<string>; readonly current: string | null }
  | { readonly error: string }

/**
 * The server's own account of a request.
 *
 * - `results`: of the steps that ended, before the head and then in the body. `unfinished`: one more had begun.
 * - `exit`: how the handler ended. `statuses`: those that the pre-response handlers were called with; the session decides
 *   by the first.
 * - `sent`: the status of the response as it went out, or would have gone out.
 * - `storeFailed`: a call of the store failed. Where the request was interrupted, no result says so.
 * - `from` and `to`: when the server had read the head of the request, and when the request had ended there.
 */
export interface Entry {
  readonly nonce: string
  readonly results: ReadonlyArray<Result>
  readonly unfinished: boolean
  readonly exit: "completed" | "failed" | "interrupted" | "none"
  readonly statuses: ReadonlyArray<number>
  readonly sent: number
  readonly storeFailed: boolean
  readonly from: string
  readonly to: string
}

/** What the server knows of a request. `Unsettled`: it had neither ended nor failed to arrive when the patience was over. */
export type Account =
  | { readonly _tag: "Ended"; readonly entry: Entry }
  | { readonly _tag: "NeverArrived" }
  | { readonly _tag: "Unsettled"; readonly entry: Entry | undefined }

/**
 * `at` is when the request was sent, `port` the client's: they tell when a request can no longer arrive. The port is undefined
 * where there was no connection.
 */
export type Question =
  | { readonly ask: "account"; readonly nonce: string; readonly port: number | undefined; readonly at: number }
  | { readonly ask: "heap"; readonly snapshot: string | undefined }

export type Answer =
  | { readonly answer: "listening"; readonly port: number }
  | { readonly answer: "account"; readonly nonce: string; readonly account: Account }
  | { readonly answer: "heap"; readonly heap: Heap }

export interface Heap {
  readonly at: number
  readonly heapUsed: number
  readonly rss: number
}

/** What the server is started with. */
export interface Setup {
  readonly store: Name
  /** a key prefix, a table, or a folder: one for each run */
  readonly place: string
  readonly plant: Plant | undefined
}
