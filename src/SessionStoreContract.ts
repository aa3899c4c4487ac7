/**
 * The contract of stores and adapters as a test suite, for `@effect/vitest`.
 *
 * `suite` runs it against an adapter (a `SessionBackend`), `behaviour` against a whole store. Every test makes sessions
 * under ids of its own and leaves the rest of the database alone: it may run beside others, and needs no empty database.
 *
 * @since 0.1.0
 */
import * as Vitest from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as backendContract from "./internal/contract/backendContract.js"
import * as backendLimits from "./internal/contract/backendLimits.js"
import * as backendRows from "./internal/contract/backendRows.js"
import * as csrfRows from "./internal/contract/csrfRows.js"
import * as eventRows from "./internal/contract/eventRows.js"
import * as expiryRows from "./internal/contract/expiryRows.js"
import * as flashRows from "./internal/contract/flashRows.js"
import * as indexContract from "./internal/contract/indexContract.js"
import * as keyRows from "./internal/contract/keyRows.js"
import * as middlewareRows from "./internal/contract/middlewareRows.js"
import * as operationRows from "./internal/contract/operationRows.js"
import * as periodRows from "./internal/contract/periodRows.js"
import * as raceRows from "./internal/contract/raceRows.js"
import * as renewedRows from "./internal/contract/renewedRows.js"
import * as revocationContract from "./internal/contract/revocationContract.js"
import * as revocationRows from "./internal/contract/revocationRows.js"
import * as revokedSubjectRows from "./internal/contract/revokedSubjectRows.js"
import type { BackendKit, Kit, Row, Sizes } from "./internal/contract/row.js"
import * as storeRows from "./internal/contract/storeRows.js"
import * as tombstoneContract from "./internal/contract/tombstoneContract.js"
import * as userRows from "./internal/contract/userRows.js"
import * as valueRows from "./internal/contract/valueRows.js"
import * as World from "./internal/contract/world.js"
import * as KeyRing from "./KeyRing.js"
import { Revocation, type RevocationService } from "./Revocation.js"
import { SessionBackend, type SessionBackendService, SubjectIndex } from "./SessionBackend.js"
import type { SessionConfigOptions } from "./SessionConfig.js"
import * as SessionStore from "./SessionStore.js"

/**
 * How much the suite does. The defaults suit a store on the same machine; scale them down for a slow one.
 *
 * - `interleavings`: races of a logout against a slow writer, and of `renew` against parallel writes; default 1,000. The
 *   meetings that matter are brought about once each beside them, however fast the store reads and writes.
 * - `increments`: parallel `modify` on one session; default 1,000.
 * - `inserts`: parallel requests that each insert another key; default 500.
 * - `timeout`: for each of those tests; default 2 minutes. The others have the runner's own.
 * - `revocable`: a store of the kind `client` can end its sessions on the server; default false. With it, the test that shows
 *   that an ended session comes back is not run.
 *
 * @since 0.1.0
 * @category models
 */
export interface BehaviourOptions {
  readonly interleavings?: number | undefined
  readonly increments?: number | undefined
  readonly inserts?: number | undefined
  readonly timeout?: Duration.DurationInput | undefined
  readonly revocable?: boolean | undefined
}

/**
 * What an adapter declares about itself, beside how much it does.
 *
 * - `R`: what the layer provides beside the backend, a database's client for one; `corrupt` and `newerFormat` may use it.
 * - `index`: the layer provides a `SubjectIndex` as well, and its contract is run too; default false. A layer that has one
 *   although this says no, or the other way round, fails.
 * - `marks`: whether the adapter keeps the mark of a renewed session (`Renewed`); default true. Without, the rows S9,
 *   I2 and I3 are not run.
 * - `expiresNatively`: the database removes expired records by itself, and `removeExpired` returns 0; default false.
 * - `corrupt`: spoils the record of an id in the database, so that the adapter cannot read it; runs the rows about corrupt
 *   records.
 * - `newerFormat`: makes the record of an id one of a later format; runs the row about those.
 *
 * @since 0.1.0
 * @category models
 */
export interface SuiteOptions<R = never> extends BehaviourOptions {
  readonly index?: boolean | undefined
  readonly marks?: boolean | undefined
  readonly expiresNatively?: boolean | undefined
  readonly corrupt?: ((id: string) => Effect.Effect<unknown, unknown, R>) | undefined
  readonly newerFormat?: ((id: string) => Effect.Effect<unknown, unknown, R>) | undefined
}

const sizesOf = (options: BehaviourOptions): Sizes => ({
  interleavings: options.interleavings ?? 1000,
  increments: options.increments ?? 1000,
  inserts: options.inserts ?? 500
})

const timeoutOf = (options: BehaviourOptions): number => Duration.toMillis(options.timeout ?? "2 minutes")

/** The clean-up of one test must not see what another has left behind on purpose. */
const quiet = (options: SessionConfigOptions | undefined): SessionConfigOptions => ({
  cleanupInterval: Duration.infinity,
  ...options
})

const commonRows: ReadonlyArray<Row> = [
  ...valueRows.rows,
  ...operationRows.rows,
  ...middlewareRows.rows,
  ...storeRows.rows,
  ...expiryRows.rows,
  ...renewedRows.rows,
  ...periodRows.rows,
  ...csrfRows.rows,
  ...flashRows.rows,
  ...userRows.rows,
  ...keyRows.rows,
  ...eventRows.rows
]

/**
 * Runs the behaviour of a session over a whole store, with real requests through a web handler.
 *
 * - `kind`: where the answer differs by kind of store, the suite expects that kind's.
 * - `layer`: the store for the options that a row needs; built anew for every row.
 *
 * @example
 * ```ts
 * import { KeyRing, SessionStore } from "effect-session"
 * import * as SessionStoreContract from "effect-session/SessionStoreContract"
 * import { Effect, Layer } from "effect"
 *
 * const keys = Effect.runSync(KeyRing.generate)
 *
 * SessionStoreContract.behaviour("Cookie", "client", (options) => SessionStore.layerCookie({ ...options, keys }))
 * ```
 *
 * @since 0.1.0
 * @category suites
 */
export const behaviour = <E>(
  name: string,
  kind: "client" | "server",
  layer: (options: SessionConfigOptions) => Layer.Layer<SessionStore.SessionStore, E>,
  options: BehaviourOptions = {}
): void => {
  const kit: Kit = {
    kind,
    sizes: sizesOf(options),
    world: (config, extra) => World.make(layer(quiet(config)), extra)
  }
  Vitest.layer(Layer.empty, { excludeTestServices: true })(name, (it) => {
    for (const row of [...commonRows, ...raceRows.rows]) {
      if ((row.on !== undefined && row.on !== kind) || (row.irrevocable && options.revocable === true)) continue
      it.scoped(row.title, () => row.run(kit), row.long ? timeoutOf(options) : undefined)
    }
  })
}

/**
 * Runs the contract of an adapter: of `SessionBackend` function by function, of `SubjectIndex` with `index: true`, and the
 * behaviour of a session over `SessionStore.layerBackend`.
 *
 * The layer is built once and shared by all tests of the suite.
 *
 * @example
 * ```ts
 * import type { SessionBackend } from "effect-session"
 * import * as SessionStoreContract from "effect-session/SessionStoreContract"
 * import type { Layer } from "effect"
 *
 * declare const MyBackend: Layer.Layer<SessionBackend.SessionBackend>
 *
 * SessionStoreContract.suite("MyDatabase", MyBackend, { interleavings: 200 })
 * ```
 *
 * @since 0.1.0
 * @category suites
 */
export const suite = <A, E>(
  name: string,
  layer: Layer.Layer<A | SessionBackend, E>,
  options: SuiteOptions<NoInfer<A> | SessionBackend> = {}
): void => {
  const index = options.index ?? false
  const contract = { expiresNatively: options.expiresNatively ?? false }
  const timeout = timeoutOf(options)
  const keepsMarks = options.marks ?? true
  Vitest.layer(layer, { excludeTestServices: true })(name, (it) => {
    Vitest.describe("backend", () => {
      for (
        const test of [...backendContract.tests, ...backendLimits.tests, ...keepsMarks ? tombstoneContract.tests : []]
      ) {
        it.scoped(test.title, () => Effect.flatMap(SessionBackend, (backend) => test.run(backend, contract)))
      }
    })

    Vitest.describe("index", () => {
      it.effect(`S8: the layer provides ${index ? "a SubjectIndex" : "no SubjectIndex, as the suite's options say"}`, () =>
        Effect.gen(function*() {
          const given = Context.getOption(yield* Effect.context<never>(), SubjectIndex)._tag === "Some"
          if (given !== index) {
            return yield* Effect.dieMessage(
              given
                ? "the layer provides a SubjectIndex: say { index: true }, so that its contract is run"
                : "{ index: true }, and the layer provides no SubjectIndex"
            )
          }
        }))
      for (const test of index ? indexContract.tests : []) {
        it.effect(test.title, () =>
          Effect.flatMap(
            // told by the test above when it is not there
            Effect.all([SubjectIndex, SessionBackend]) as Effect.Effect<
              readonly [SubjectIndex["Type"], SessionBackendService],
              never,
              SessionBackend
            >,
            ([subjectIndex, backend]) => test.run(subjectIndex, backend)
          ))
      }
    })

    Vitest.describe("sessions", () => {
      const overBackend = (backend: SessionBackendService, config: SessionConfigOptions | undefined) =>
        Layer.provide(SessionStore.layerBackend(quiet(config)), Layer.succeed(SessionBackend, backend))
      const kitOf = (backend: SessionBackendService): BackendKit => ({
        kind: "server",
        sizes: sizesOf(options),
        backend,
        expiresNatively: contract.expiresNatively,
        world: (config, extra) => World.make(overBackend(backend, config), extra),
        over: (backend, config, clock) => World.make(overBackend(backend, config), clock === undefined ? {} : { clock })
      })
      /** `within`: the row for the context of the layer, where it needs that. */
      const run = (
        row: Row<BackendKit>,
        within: (context: Context.Context<A | SessionBackend>) => Row<BackendKit> = () => row
      ) =>
        it.scoped(
          row.title,
          () =>
            Effect.flatMap(Effect.context<A | SessionBackend>(), (context) =>
              within(context).run(kitOf(Context.get(context, SessionBackend)))),
          row.long ? timeout : undefined
        )
      for (const row of [...commonRows, ...backendRows.rows]) {
        if (row.on !== "client" && (keepsMarks || !/^(?:S9|I2|I3)/.test(row.title))) run(row)
      }
      const spoiled = (
        rows: (spoil: backendRows.Spoil) => ReadonlyArray<Row<BackendKit>>,
        spoil: ((id: string) => Effect.Effect<unknown, unknown, A | SessionBackend>) | undefined
      ) => {
        if (spoil === undefined) return
        for (const [i, row] of rows(() => Effect.void).entries()) {
          run(row, (context) => rows((id) => Effect.provide(spoil(id), context))[i])
        }
      }
      spoiled(backendRows.corruptRows, options.corrupt)
      spoiled(backendRows.newerFormatRows, options.newerFormat)
    })
  })
}

/**
 * Runs the contract of a store of revocations: of `Revocation` function by function, and of cookie sessions that the server
 * can end, over `SessionStore.layerCookieRevocable`.
 *
 * - `expiresNatively`: the database removes expired entries by itself, and `removeExpired` returns 0; default false.
 *
 * The layer is built once and shared by all tests of the suite.
 *
 * @example
 * ```ts
 * import { Revocation } from "effect-session"
 * import * as SessionStoreContract from "effect-session/SessionStoreContract"
 *
 * SessionStoreContract.revocation("Memory", Revocation.layerMemory())
 * ```
 *
 * @since 1.0.0
 * @category suites
 */
export const revocation = <A, E>(
  name: string,
  layer: Layer.Layer<A | Revocation, E>,
  options: { readonly expiresNatively?: boolean | undefined } = {}
): void => {
  const { expiresNatively = false } = options
  const keys = Effect.runSync(KeyRing.generate)
  const sessions = (revocation: RevocationService, config: SessionConfigOptions | undefined) =>
    Layer.provide(
      SessionStore.layerCookieRevocable({ ...quiet(config), keys }),
      Layer.succeed(Revocation, revocation)
    )
  Vitest.layer(layer, { excludeTestServices: true })(name, (it) => {
    for (const test of revocationContract.tests) {
      it.scoped(test.title, () => Effect.flatMap(Revocation, (revocation) => test.run(revocation, { expiresNatively })))
    }
    for (const row of [...revocationRows.rows, ...revokedSubjectRows.rows]) {
      it.scoped(row.title, () =>
        Effect.flatMap(Revocation, (revocation) =>
          row.run({
            revocation,
            world: (config, extra) => World.make(sessions(extra?.revocation ?? revocation, config), extra)
          })))
    }
    // A sealed session that can be ended keeps what server stores promise about sign-ins and old ids.
    for (const row of [...userRows.rows, ...renewedRows.rows]) {
      it.scoped(row.title, () =>
        Effect.flatMap(Revocation, (revocation) =>
          row.run({
            kind: "client",
            sizes: sizesOf({}),
            world: (config, extra) => World.make(sessions(revocation, config), extra)
          })))
    }
  })
}
