/**
 * Finds two stores of one app that use the same cookie. Each then takes the cookie of the other for a session that it does
 * not know, and what one writes replaces the other's session in the browser (row F6).
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Layers from "../edition/layers.js"
import type { SessionConfig } from "../store/options.js"

/** How many stores use each cookie. An app is what is built with one memo map. */
const apps = new WeakMap<Layer.MemoMap, Map<string, number>>()

/** Counts the store as long as its layer lives. True for the second store that uses the cookie: one warning is enough. */
export const isSecond = (
  { domain, enable, name, path }: SessionConfig
): Effect.Effect<boolean, never, Scope.Scope> =>
  enable
    ? Effect.flatMap(Layers.memoMap, (app) => {
      const cookies = apps.get(app) ?? new Map<string, number>()
      apps.set(app, cookies)
      const cookie = JSON.stringify([name, domain, path])
      const add = (difference: number) =>
        Effect.sync(() => {
          const stores = cookies.get(cookie) ?? 0
          cookies.set(cookie, stores + difference)
          return stores === 1
        })
      return Effect.acquireRelease(add(1), () => add(-1))
    })
    : Effect.succeed(false)

export const warning = ({ name }: SessionConfig): string =>
  `two session stores of this app use the cookie ${name}. If they keep their sessions in different places, neither knows the `
  + "sessions of the other, and each replaces the other's cookie: provide the same layer to both, or give each its own name"
