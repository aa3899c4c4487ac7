/** Keeps sessions in files below .data/sessions. It needs no server, but works with a single process only. */
import { KeyValueStore } from "@effect/platform"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Layer } from "effect"
import { layer } from "effect-session/SessionStore/KeyValueStore"
import * as Path from "node:path"
import type { Store } from "../stores.js"

const FilesLive = KeyValueStore.layerFileSystem(Path.resolve(import.meta.dirname, "../../../.data/sessions")).pipe(
  Layer.provide(NodeFileSystem.layer),
  Layer.provide(NodePath.layer)
)

export const store: Store = (options) => Layer.provide(layer(options), FilesLive)
