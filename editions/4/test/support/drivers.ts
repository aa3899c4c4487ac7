/**
 * The pre-releases of the drivers for MySQL and SQLite look for modules where Effect 4.0 had them. Effect 4.1 has them in
 * another place.
 */
import { registerHooks } from "node:module"

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.replace(/^effect\/unstable\/(?=(?:sql|reactivity)\/)/, "effect/"), context)
})
