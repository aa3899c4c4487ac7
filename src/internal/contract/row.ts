/**
 * A row of the contract, and what it is run with.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SessionBackendService } from "../../SessionBackend.js"
import type { SessionConfigOptions } from "../../SessionConfig.js"
import type { StandingClock } from "../testing/clock.js"
import type { Before, World } from "./world.js"

export type Kind = "client" | "server"

/** How often the rows that race something do it. */
export interface Sizes {
  readonly interleavings: number
  readonly increments: number
  readonly inserts: number
}

/**
 * - `world`: over a store of its own with these options; over the same backend where there is one.
 */
export interface Kit {
  readonly kind: Kind
  readonly sizes: Sizes
  readonly world: (
    options?: SessionConfigOptions,
    extra?: { readonly before?: Before; readonly clock?: StandingClock }
  ) => Effect.Effect<World, unknown, Scope.Scope>
}

/** What rows over a backend have beside that. */
export interface BackendKit extends Kit {
  readonly backend: SessionBackendService
  readonly expiresNatively: boolean
  /** worlds over this backend in place of the kit's: one that is counted, or that yields */
  readonly over: (
    backend: SessionBackendService,
    options?: SessionConfigOptions,
    clock?: StandingClock
  ) => Effect.Effect<World, unknown, Scope.Scope>
}

/**
 * - `on`: the kind of store that the row is about; both where it is undefined.
 * - `long`: takes long on a slow store.
 * - `irrevocable`: shows what a store cannot do whose sessions end only in the browser.
 */
export interface Row<K extends Kit = Kit> {
  readonly title: string
  readonly on: Kind | undefined
  readonly long: boolean
  readonly irrevocable: boolean
  readonly run: (kit: K) => Effect.Effect<void, unknown, Scope.Scope>
}

type Run<K extends Kit> = (kit: K) => Effect.Effect<void, unknown, Scope.Scope>

export const both = <K extends Kit = Kit>(title: string, run: Run<K>): Row<K> => ({
  title,
  on: undefined,
  long: false,
  irrevocable: false,
  run
})

export const server = <K extends Kit = Kit>(title: string, run: Run<K>): Row<K> => ({
  title,
  on: "server",
  long: false,
  irrevocable: false,
  run
})

export const client = <K extends Kit = Kit>(title: string, run: Run<K>): Row<K> => ({
  title,
  on: "client",
  long: false,
  irrevocable: false,
  run
})

export const irrevocable = <K extends Kit>(row: Row<K>): Row<K> => ({ ...row, irrevocable: true })

export const long = <K extends Kit>(row: Row<K>): Row<K> => ({ ...row, long: true })
