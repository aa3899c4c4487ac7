/**
 * The options of every layer of a store, checked when it is built.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionConfigError } from "../../SessionError.js"
import type { Mistake } from "../config/mistakes.js"
import { resolveOptions } from "../config/resolveOptions.js"
import * as SameCookie from "../config/sameCookie.js"
import { warnings } from "../config/warnings.js"
import type { SessionConfig, SessionConfigOptions } from "../store/options.js"

/**
 * The resolved options, after logging the warnings that an operator should see at start-up (row F6). Fails with every
 * mistake at once: those in the options, and those that `besides` finds in what else the layer takes (row F3). The scope is
 * the layer's.
 */
export const resolved = (
  options: SessionConfigOptions,
  facts: { readonly memory: boolean; readonly weakKey: boolean },
  besides: (config: SessionConfig) => ReadonlyArray<Mistake>
): Effect.Effect<SessionConfig, SessionConfigError, Scope.Scope> =>
  Effect.gen(function*() {
    const { config, mistakes } = resolveOptions(options)
    const [first, ...rest] = [...mistakes, ...besides(config)]
    if (first !== undefined) return yield* new SessionConfigError({ mistakes: [first, ...rest] })
    const found = warnings(config, { environment: globalThis.process?.env.NODE_ENV, ...facts })
    for (const warning of found) yield* Effect.logWarning(warning)
    if (yield* SameCookie.isSecond(config)) yield* Effect.logWarning(SameCookie.warning(config))
    return config
  })
