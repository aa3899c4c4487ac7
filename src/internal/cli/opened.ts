/**
 * What the command line needs of a database that it has opened.
 */
import type * as Effect from "effect/Effect"
import type { SessionBackendService, SubjectIndexService } from "../../SessionBackend.js"

/**
 * - `count`: the sessions that live, and those of them that belong to a subject.
 * - `removesExpired`: false where the database does it by itself.
 */
export interface Database {
  readonly backend: SessionBackendService
  readonly index: SubjectIndexService
  readonly removesExpired: boolean
  readonly count: (now: number) => Effect.Effect<{ readonly all: number; readonly signedIn: number }, unknown>
}
