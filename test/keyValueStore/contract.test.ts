import * as NodeContext from "@effect/platform-node/NodeContext"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { Effect, Layer } from "effect"
import * as SessionStoreKeyValue from "effect-session/SessionStore/KeyValueStore"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { overMap } from "./stores.js"

const backend = SessionStoreKeyValue.layerBackend()

SessionStoreContract.suite(
  "KeyValueStore in memory",
  Layer.provide(backend, KeyValueStore.layerMemory),
  // Every call is done at once here, so calls rarely race. They do race over the store of the next suite.
  { index: true, interleavings: 50 }
)

SessionStoreContract.suite(
  "KeyValueStore that yields",
  Layer.provide(backend, Layer.sync(KeyValueStore.KeyValueStore, () => overMap().store)),
  { index: true }
)

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sessions-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

SessionStoreContract.suite(
  "KeyValueStore in files",
  Layer.unwrapScoped(Effect.map(directory, (path) =>
    backend.pipe(
      Layer.provide(KeyValueStore.layerFileSystem(join(path, "new"))),
      Layer.provide(NodeContext.layer)
    ))),
  // Fewer rounds, because each call waits for the file system several times.
  { index: true, interleavings: 50, increments: 100, inserts: 100 }
)
