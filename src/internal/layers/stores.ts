/**
 * The layers of the stores that the library brings. Each one checks its options once, when it is built.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { type KeyRing, TypeId } from "../../KeyRing.js"
import { SessionBackend, type SubjectBound, SubjectIndex } from "../../SessionBackend.js"
import type { SessionConfigError } from "../../SessionError.js"
import { keysFrom } from "../config/environment.js"
import { boundMistakes } from "../config/memoryBounds.js"
import type { Mistake } from "../config/mistakes.js"
import * as cookieStore from "../cookie/cookieStore.js"
import { hasWeakKey, sealingEnds } from "../cookie/keyMaterial.js"
import * as revocableStore from "../cookie/revocable.js"
import * as Happened from "../events/happened.js"
import { Hub } from "../events/hub.js"
import * as memoryBackend from "../memory/backend.js"
import * as cleanUp from "../server/cleanUp.js"
import { guardedRevocation } from "../server/guard.js"
import * as ReportFailure from "../server/reportFailure.js"
import { SessionStore, type SessionStoreService } from "../store/contract.js"
import type { SessionConfig, SessionConfigOptions } from "../store/options.js"
import { Revocation } from "../store/revocation.js"
import { type SessionList, Sessions } from "../store/subjectContract.js"
import { resolved } from "./resolved.js"
import { cleaningUp, indexedStore, serverStore, subjectBoundMistakes } from "./serverStores.js"

/**
 * Options of {@link layerCookie}.
 *
 * - `keys`: the first key seals, and all of them open.
 * - `audience`: empty by default. A session that was sealed for another audience is read as an empty one; this is for apps
 *   that share a key and a cookie name.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieOptions extends SessionConfigOptions {
  readonly keys: KeyRing
  readonly audience?: string | undefined
}

/**
 * Options of a server store that can index the sessions of its subjects.
 *
 * - `subjectBound`: how many sessions a subject may have, and what happens when it starts one more: either its oldest
 *   session is evicted, or `bind` fails with `TooManySessions`. There is no bound by default.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerOptions extends SessionConfigOptions {
  readonly subjectBound?: SubjectBound | undefined
}

/**
 * Options of {@link layerMemory}.
 *
 * - `maxSessions`: the most sessions that are kept, 1,000,000 by default.
 * - `maxBytes`: the most bytes that all sessions may take together, 512 MiB by default.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemoryOptions extends ServerOptions {
  readonly maxSessions?: number | undefined
  readonly maxBytes?: number | undefined
}

/**
 * Options of {@link layerCookieConfig}.
 *
 * - `nextSecret`: the name of the variable that holds the secret of the next key, which only opens sessions until it takes the
 *   place of the current one; left out when the variable is not set.
 * - `previousSecrets`: the names of variables that hold older secrets, whose keys still open sessions; one that is not set
 *   is left out. Where the variable of the same name with `_LAST_DAY` behind it holds a day (`2026-12-31`), the key opens
 *   nothing once that day is over in UTC. There are at most 7 keys beside the current one.
 *
 * @since 1.0.0
 * @category models
 */
export interface CookieConfigOptions extends Omit<CookieOptions, "keys"> {
  readonly nextSecret?: string | undefined
  readonly previousSecrets?: ReadonlyArray<string> | undefined
}

/**
 * Options of {@link layerDevelopment}: those of {@link layerMemory}, but `secure`, which is false.
 *
 * @since 1.0.0
 * @category models
 */
export interface DevelopmentOptions extends Omit<MemoryOptions, "secure"> {}

const noFacts = { memory: false, weakKey: false }

/** Makes the cookie store, with the keys or with what is wrong with them. */
const sealed = (
  options: Omit<CookieOptions, "keys">,
  keys: KeyRing | ReadonlyArray<Mistake>,
  besides: (config: SessionConfig) => ReadonlyArray<Mistake> = () => []
): Effect.Effect<(signsIn: boolean) => cookieStore.SealedStore, SessionConfigError, Scope.Scope> => {
  const { audience = "" } = options
  const ring = Predicate.hasProperty(keys, TypeId) ? keys as KeyRing : undefined
  return Effect.map(
    resolved(options, { memory: false, weakKey: ring !== undefined && hasWeakKey(ring) }, (config) => [
      ...(ring === undefined ? keys as ReadonlyArray<Mistake> : sealingEnds(ring) ? [sealingKeyEnds] : []),
      ...(typeof audience !== "string"
        ? [{ path: "audience", message: "must be text" }]
        : ring !== undefined && cookieStore.make(config, ring, audience).tooLarge(0) !== undefined
        ? [noRoom]
        : []),
      ...besides(config)
    ]),
    (config) => (signsIn) => cookieStore.make(config, ring!, audience, signsIn) // sound: without keys there was a mistake
  )
}

const keysOf = ({ keys }: CookieOptions) => Predicate.hasProperty(keys, TypeId) ? keys : [noKeys]

export const cookie = (options: CookieOptions): Layer.Layer<SessionStore, SessionConfigError> =>
  plain(Effect.suspend(() => sealed(options, keysOf(options))))

export const cookieConfig = (
  secret: string,
  { nextSecret, previousSecrets = [], ...options }: CookieConfigOptions = {}
): Layer.Layer<SessionStore, SessionConfigError> =>
  plain(Effect.flatMap(keysFrom(secret, nextSecret, previousSecrets), (keys) => sealed(options, keys)))

type Sealed = ReturnType<typeof sealed>

const plain = (making: Sealed): Layer.Layer<SessionStore, SessionConfigError> =>
  Layer.scoped(SessionStore, Effect.map(making, (make): SessionStoreService => make(false)))

export const cookieRevocable = (
  options: CookieOptions
): Layer.Layer<SessionStore | Sessions, SessionConfigError, Revocation> =>
  revocable(Effect.suspend(() => sealed(options, keysOf(options), renewsOnlyOnRequest)))

export const cookieRevocableConfig = (
  secret: string,
  { nextSecret, previousSecrets = [], ...options }: CookieConfigOptions = {}
): Layer.Layer<SessionStore | Sessions, SessionConfigError, Revocation> =>
  revocable(
    Effect.flatMap(keysFrom(secret, nextSecret, previousSecrets), (keys) => sealed(options, keys, renewsOnlyOnRequest))
  )

const revocable = (making: Sealed): Layer.Layer<SessionStore | Sessions, SessionConfigError, Revocation> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const store = (yield* making)(true)
      const { config } = store
      const report = yield* ReportFailure.make
      const revocation = guardedRevocation(yield* Revocation, config.storeTimeoutMillis, report)
      yield* cleaningUp(config, cleanUp.revocations(config, revocation))
      return Context.make(SessionStore, revocableStore.make(store, revocation)).pipe(
        Context.add(Sessions, revocableStore.sessions(store, revocation))
      )
    })
  )

/**
 * A renewal ends the old id on the server. Requests that were sent with the old cookie at the same time would be signed out by
 * a renewal that nobody has asked for.
 */
const renewsOnlyOnRequest = ({ renewEveryMillis }: SessionConfig): ReadonlyArray<Mistake> =>
  renewEveryMillis === undefined ? [] : [{
    path: "renewEvery",
    message:
      "cannot be used with revocation, because parallel requests with the old cookie would be signed out; leave it out "
      + "and call RequestContext.renew where it suits, or use a server store"
  }]

const noKeys: Mistake = { path: "keys", message: "must be a KeyRing, which KeyRing.derive and KeyRing.fromBytes make" }

const sealingKeyEnds: Mistake = {
  path: "keys",
  message:
    "must seal with a key that has no last day, because every session that the key has sealed would end with it; give the "
    + "last day to the older key before KeyRing.withPrevious adds that key"
}

const noRoom: Mistake = {
  path: "audience",
  message: "is so long that name and audience alone fill the cookie; use a shorter one"
}

export const backend = (
  options: SessionConfigOptions = {}
): Layer.Layer<SessionStore, SessionConfigError, SessionBackend> =>
  Layer.scoped(
    SessionStore,
    Effect.gen(function*() {
      const config = yield* resolved(options, noFacts, () => [])
      return yield* serverStore(config, yield* SessionBackend)
    })
  )

export const backendIndexed = (
  options: ServerOptions = {}
): Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError, SessionBackend | SubjectIndex> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const { subjectBound } = options
      const config = yield* resolved(options, noFacts, () => subjectBoundMistakes(subjectBound))
      return yield* indexedStore(config, yield* SessionBackend, yield* SubjectIndex, subjectBound)
    })
  )

export const memory = (
  options: MemoryOptions = {}
): Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError> => inMemory(options, () => [])

export const development = (
  options: DevelopmentOptions = {}
): Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError> =>
  inMemory({ ...options, secure: false }, () => globalThis.process?.env.NODE_ENV === "production" ? [inProduction] : [])

const inProduction: Mistake = {
  path: "NODE_ENV",
  message:
    "is production, where the store of layerDevelopment must not be used: it loses all sessions at a restart, and sends "
    + "their cookie over plain HTTP; use layerCookieConfig, or a server store"
}

const inMemory = (
  options: MemoryOptions,
  besides: () => ReadonlyArray<Mistake>
): Layer.Layer<SessionStore | Sessions | SessionList, SessionConfigError> =>
  Layer.scopedContext(
    Effect.gen(function*() {
      const { maxBytes = 512 * 1024 * 1024, maxSessions = 1_000_000, subjectBound } = options
      const config = yield* resolved(options, { memory: true, weakKey: false }, ({ maxSessionBytes }) => [
        ...besides(),
        ...subjectBoundMistakes(subjectBound),
        ...boundMistakes({ maxSessions, maxBytes }, maxSessionBytes)
      ])
      const events = new Hub(config.name)
      const { backend, index } = memoryBackend.make({ maxSessions, maxBytes }, Happened.roomMaker(events))
      return yield* indexedStore(config, backend, index, subjectBound, events)
    })
  )
