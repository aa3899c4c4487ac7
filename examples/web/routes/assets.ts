/**
 * The style sheet and the icon. They use no session, so that they cost no look-up and set no cookie.
 */
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import * as Path from "node:path"

const asset = (name: string, contentType: string) =>
  Effect.map(
    Effect.promise(() => readFile(Path.join(import.meta.dirname, "..", name), "utf8")),
    (text) =>
      HttpLayerRouter.route(
        "GET",
        `/${name}`,
        Effect.succeed(HttpServerResponse.text(text, {
          contentType,
          headers: { "cache-control": "max-age=60", "x-content-type-options": "nosniff" }
        }))
      )
  )

export const AssetRoutes = HttpLayerRouter.addAll(
  Effect.all([asset("style.css", "text/css; charset=utf-8"), asset("icon.svg", "image/svg+xml")])
)
