/**
 * The layer of the store that a configuration names: one switch for `SessionStore.layerConfig` and `layerConfigServer`.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SessionBackend, SubjectIndex } from "../../SessionBackend.js"
import { SessionConfigError } from "../../SessionError.js"
import { fromFile } from "../config/file.js"
import type { FileConfig } from "../config/model.js"
import type { SessionStore } from "../store/contract.js"
import type { SessionConfigOptions } from "../store/options.js"
import type { SessionList, Sessions } from "../store/subjectContract.js"
import type { CookieOptions, MemoryOptions, ServerOptions } from "./stores.js"
import * as stores from "./stores.js"

/** What the two layers differ in; they provide `Services`, and their store over a backend needs `Backend`. */
interface Kind<Services, Backend, Options extends SessionConfigOptions> {
  readonly name: "layerConfig" | "layerConfigServer"
  readonly cookie: (options: CookieOptions) => Layer.Layer<Services, SessionConfigError>
  readonly memory: (options: MemoryOptions) => Layer.Layer<Services, SessionConfigError>
  readonly backend: (options: Options) => Layer.Layer<Services, SessionConfigError, Backend>
}

/** What `Tower` in a configuration stands for: a function to the layer of a store, or the layer of a backend. */
export type ServerOf<Services, Backend, Options, E, R> =
  | ((options: Options) => Layer.Layer<Services, E, R>)
  | Layer.Layer<Backend, E, R>

const storeTypeMistake = (message: string): SessionConfigError =>
  new SessionConfigError({ mistakes: [{ path: "session_store.type", message }] })

export const anyStore: Kind<SessionStore, SessionBackend, SessionConfigOptions> = {
  name: "layerConfig",
  cookie: stores.cookie,
  memory: stores.memory,
  backend: stores.backend
}

export const serverStore: Kind<SessionStore | Sessions | SessionList, SessionBackend | SubjectIndex, ServerOptions> = {
  name: "layerConfigServer",
  cookie: () =>
    Layer.fail(storeTypeMistake(
      "must be Memory or Tower: the app lists, bounds or revokes sessions, which it cannot do while Cookie keeps them in "
        + "the browser. An app that can do without takes SessionStore.layerConfig"
    )),
  memory: stores.memory,
  backend: stores.backendIndexed
}

export const configured = <Services, Backend, Options extends SessionConfigOptions, E, R, E2, R2>(
  kind: Kind<Services, Backend, Options>,
  { from = fromFile(), options, server }: {
    readonly server?: ServerOf<Services, Backend, Options, E, R> | undefined
    readonly from?: Effect.Effect<FileConfig, SessionConfigError | E2, R2> | undefined
    readonly options?: Options | undefined
  }
): Layer.Layer<Services, SessionConfigError | E | E2, R | R2> =>
  Layer.unwrapEffect(
    Effect.map(from, ({ options: declared, store }): Layer.Layer<Services, SessionConfigError | E, R> => {
      // Sound: the declared options are among those of every kind.
      const session = { ...options, ...declared } as Options
      switch (store.type) {
        case "Cookie":
          return kind.cookie({ ...session, keys: store.keys, audience: store.audience })
        case "Memory":
          return kind.memory({ ...session, maxSessions: store.maxSessions, maxBytes: store.maxBytes })
        case "Tower":
          if (server === undefined) return Layer.fail(noServer(kind.name))
          return Layer.isLayer(server)
            ? Layer.provide(kind.backend(session), server as Layer.Layer<Backend, E, R>)
            : (server as Exclude<typeof server, Layer.Layer<Backend, E, R>>)(session)
      }
    })
  )

const noServer = (layer: string): SessionConfigError =>
  storeTypeMistake(
    "is Tower, which needs the server store that the app provides: "
      + `SessionStore.${layer}({ server: (options) => … }), with the layer of Redis, Sql, KeyValueStore or a backend`
  )
