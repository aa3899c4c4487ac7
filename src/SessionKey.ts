/**
 * Typed keys for the values of a session.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { LazyArg } from "effect/Function"
import * as Option from "effect/Option"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import * as Json from "./internal/codec/json.js"
import * as Schemas from "./internal/edition/schema.js"
import { SessionSchemaError } from "./SessionError.js"

/**
 * A name and the schema of the value that is stored under it. The schema is compiled once.
 *
 * The encoded side `I` must be JSON at run time. `insert` checks that and fails with `SessionSchemaError` when it is not.
 *
 * `Got` is what reading returns: an `Option` of the value, or the value itself for a key with a default. A function of your
 * own that takes any key of a value says `SessionKey<A, I, R, unknown>`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionKey<A, I = A, R = never, out Got = Option.Option<A>> extends Pipeable {
  readonly name: string
  readonly schema: Schemas.Codec<A, I, R>
  /** What stands in for an absent value. */
  readonly default: LazyArg<A> | undefined
  /** What reading returns for what is stored. */
  readonly fromStored: (stored: Option.Option<A>) => Got
  /**
   * The same key with a default, which stands in for an absent value wherever the key is read: `RequestContext.get` then
   * returns the value itself. The default is made anew for each read, and is stored only by an operation that writes it.
   */
  withDefault(otherwise: LazyArg<A>): SessionKey<A, I, R, A>
  /** The version in which values are written: one more than the number of older versions. */
  readonly version: number
  /**
   * Reads a stored text, and migrates it where it is of an older version. Where nothing in the schema is asynchronous, the
   * effect is already done, which keeps `get` from allocating frames of its fiber.
   *
   * @internal
   */
  readonly read: (text: string) => Effect.Effect<Read<A>, SessionSchemaError, R>
  /** @internal */
  readonly write: (value: A) => Effect.Effect<string, SessionSchemaError, R>
  /** Whether a stored text counts as a value, without decoding it. @internal */
  readonly isPresent: (text: string) => boolean
}

/** @internal */
export interface Read<A> {
  /** false only for a value of a later version under `whenNewer: "absent"` */
  readonly present: boolean
  readonly value: A
  /** the text was of an older version, and has to be written back in the current one */
  readonly migrated: boolean
}

/**
 * An older version of a key's value, with the migration to the next version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Previous<B, R = never> {
  /** @internal */
  readonly depth: number
  /** @internal */
  readonly read: (json: unknown, version: number) => Effect.Effect<B, Schemas.Issue, R>
}

/**
 * Options of a key.
 *
 * - `from`: the version before this one, with its migration. Old values are read through the chain of versions and written back
 *   in the current one.
 * - `whenNewer`: what happens to a value of a later version than this code knows, as after a deploy that was rolled back. With
 *   `"fail"`, the default, reading fails with `SessionSchemaError` and the value stays. With `"absent"` the value reads as `None`
 *   and stays until it is overwritten.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<A, RF = never> {
  readonly from?: Previous<A, RF> | undefined
  readonly whenNewer?: "fail" | "absent" | undefined
}

class SessionKeyImpl<A, I, R, Got> implements SessionKey<A, I, R, Got> {
  readonly version: number
  readonly default: LazyArg<A> | undefined
  private readonly decode: (json: unknown) => Effect.Effect<A, Schemas.Issue, R>
  private readonly encode: (value: A) => Effect.Effect<I, Schemas.Issue, R>
  private readonly prefix: string

  constructor(
    readonly name: string,
    readonly schema: Schemas.Codec<A, I, R>,
    private readonly from: Previous<A, R> | undefined,
    private readonly whenNewer: "fail" | "absent",
    otherwise: LazyArg<A> | undefined,
    readonly fromStored: (stored: Option.Option<A>) => Got
  ) {
    this.default = otherwise
    this.decode = Schemas.decoder(schema)
    this.encode = Schemas.encoder(schema)
    this.version = from === undefined ? 1 : from.depth + 1
    this.prefix = this.version === 1 ? "" : `v${this.version} `
  }

  pipe() {
    return pipeArguments(this, arguments)
  }

  withDefault(otherwise: LazyArg<A>): SessionKey<A, I, R, A> {
    const { from, name, schema, whenNewer } = this
    return new SessionKeyImpl(name, schema, from, whenNewer, otherwise, Option.getOrElse(otherwise))
  }

  read(text: string): Effect.Effect<Read<A>, SessionSchemaError, R> {
    const { json, version } = splitVersion(text)
    if (version > this.version) {
      return this.whenNewer === "absent"
        ? Effect.succeed(absent as Read<A>)
        : Effect.fail(this.error("decode", `the value has version ${version}, this code knows ${this.version}`))
    }
    const migrated = version < this.version
    return this.settle(
      "decode",
      () => {
        const value = JSON.parse(json)
        return migrated ? this.from!.read(value, version) : this.decode(value)
      },
      (value) => Effect.succeed({ present: true, value, migrated })
    )
  }

  isPresent(text: string): boolean {
    return this.whenNewer === "fail" || splitVersion(text).version <= this.version
  }

  write(value: A): Effect.Effect<string, SessionSchemaError, R> {
    return this.settle("encode", () => this.encode(value), (encoded) => {
      const json = Json.stringify(encoded)
      if ("problem" in json) {
        return Effect.fail(this.error("encode", json.problem, json.path))
      }
      const text = this.prefix + json.text
      // JSON drops properties whose value is undefined. Only the schema knows whether it accepts the value without them.
      return json.lossy
        ? this.settle("encode", () => this.decode(JSON.parse(json.text)), () => Effect.succeed(text))
        : Effect.succeed(text)
    })
  }

  /** Runs a step of the schema, synchronously where the step is synchronous. Whatever it throws becomes the typed error. */
  private settle<B, C>(
    direction: "decode" | "encode",
    step: () => Effect.Effect<B, Schemas.Issue, R>,
    next: (value: B) => Effect.Effect<C, SessionSchemaError, R>
  ): Effect.Effect<C, SessionSchemaError, R> {
    let result: Effect.Effect<B, Schemas.Issue, R>
    try {
      result = step()
      const outcome = Schemas.outcomeOf(result)
      if (outcome !== undefined) {
        return "value" in outcome ? next(outcome.value) : Effect.fail(this.error(direction, outcome.issue))
      }
    } catch (defect) {
      return Effect.fail(this.thrown(direction, defect))
    }
    return result.pipe(
      Effect.mapError((issue) => this.error(direction, issue)),
      Effect.catchAllDefect((defect) => Effect.fail(this.thrown(direction, defect))),
      Effect.flatMap(next)
    )
  }

  private thrown(direction: "decode" | "encode", thrown: unknown): SessionSchemaError {
    return this.error(direction, thrown instanceof Error ? thrown.name : "a schema threw")
  }

  private error(direction: "decode" | "encode", issue: Schemas.Issue | string, path?: string) {
    return SessionSchemaError.of(
      this.name,
      direction,
      issue,
      path ?? (typeof issue === "string" ? "" : Schemas.pathOf(issue))
    )
  }
}

const absent: Read<unknown> = { present: false, value: undefined, migrated: false }

/** `v3 {"a":1}` is version 3. JSON never starts with a `v`, so a text without this prefix is version 1. */
const splitVersion = (text: string): { readonly version: number; readonly json: string } => {
  if (text.charCodeAt(0) !== 0x76) return { version: 1, json: text }
  const space = text.indexOf(" ")
  return { version: Number(text.slice(1, space)), json: text.slice(space + 1) }
}

/**
 * Makes a key. Names are compared by code units, and any well-formed text is a name, also the empty text and `__proto__`. A name
 * with a lone surrogate throws a `TypeError`, because it cannot be written as UTF-8: two such names would become one.
 *
 * @example
 * ```ts
 * import { SessionKey } from "effect-session"
 * import { Schema } from "effect"
 *
 * const Nickname = SessionKey.make("nickname", Schema.String)
 *
 * // reads as 0 where it is absent
 * const Visits = SessionKey.make("visits", Schema.NonNegativeInt).withDefault(() => 0)
 *
 * // a later version of a value, with the migration from the older one
 * const CartV1 = Schema.Array(Schema.String)
 * const CartV2 = Schema.Array(Schema.Struct({ sku: Schema.String, quantity: Schema.Int }))
 * const Cart = SessionKey.make("cart", CartV2, {
 *   from: SessionKey.previous(CartV1, (skus) => skus.map((sku) => ({ sku, quantity: 1 })))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I, R = never, RF = never>(
  name: string,
  schema: Schemas.Codec<A, I, R>,
  options?: Options<NoInfer<A>, RF>
): SessionKey<A, I, R | RF> => {
  if (!name.isWellFormed()) {
    throw new TypeError("the name of a session key must be well-formed Unicode, but it has a lone surrogate")
  }
  return new SessionKeyImpl<A, I, R | RF, Option.Option<A>>(
    name,
    schema,
    options?.from,
    options?.whenNewer ?? "fail",
    undefined,
    (stored) => stored
  )
}

/**
 * Whether a key has a value, as a key: reads every value as present, and decodes none.
 *
 * @internal
 */
export const presence = <A, I, R>(key: SessionKey<A, I, R, unknown>): SessionKey<true, true, never, boolean> => {
  const read: Pick<SessionKey<true, true, never, boolean>, "name" | "read" | "fromStored"> = {
    name: key.name,
    read: (text) => Effect.succeed({ present: key.isPresent(text), value: true, migrated: false }),
    fromStored: Option.isSome
  }
  return read as SessionKey<true, true, never, boolean> // sound: reading a key asks it for nothing else
}

// ── several keys at once ──

/**
 * Several keys under the names of an object's properties, to be read and patched as one: see {@link struct}.
 *
 * @since 1.0.0
 * @category models
 */
export interface Struct<out Fields extends Struct.Fields> {
  readonly fields: Fields
}

/**
 * The types of a {@link Struct}.
 *
 * @since 1.0.0
 * @category models
 */
export declare namespace Struct {
  /**
   * The keys by the names of the properties. The type names nothing of a key that `make` would infer, so that a key may be
   * made in its place.
   *
   * @since 1.0.0
   * @category models
   */
  export type Fields = { readonly [property: string]: { readonly name: string; readonly version: number } }

  /**
   * What reading returns: for each property what `RequestContext.get` returns for its key.
   *
   * @since 1.0.0
   * @category models
   */
  export type Type<F extends Fields> = {
    readonly [P in keyof F]: F[P] extends SessionKey<infer _A, infer _I, infer _R, infer Got> ? Got : never
  }

  /**
   * What a patch takes: any of these properties.
   *
   * @since 1.0.0
   * @category models
   */
  export type Patch<F extends Fields> = { readonly [P in keyof F]?: Type<F>[P] | undefined }

  /**
   * The services that the keys' schemas need.
   *
   * @since 1.0.0
   * @category models
   */
  export type Context<F extends Fields> = {
    [P in keyof F]: F[P] extends SessionKey<infer _A, infer _I, infer R, infer _Got> ? R : never
  }[keyof F]
}

/**
 * Describes several keys as one object, for `RequestContext.getStruct` and `RequestContext.patch`. Each key stays a key of
 * its own: it can be used alone, is stored under its own name, and is changed without the others.
 *
 * Throws a `TypeError` when two properties have the same key.
 *
 * @example
 * ```ts
 * import { RequestContext, SessionKey } from "effect-session"
 * import { Effect, Option, Schema } from "effect"
 *
 * const Checkout = SessionKey.struct({
 *   address: SessionKey.make("checkout.address", Schema.String),
 *   gift: SessionKey.make("checkout.gift", Schema.Boolean).withDefault(() => false)
 * })
 *
 * const program = Effect.gen(function*() {
 *   const { address, gift } = yield* RequestContext.getStruct(Checkout) // an Option, and a boolean
 *   yield* RequestContext.patch(Checkout, { address: Option.some("12 St James's Square") }) // `gift` stays as it is
 * })
 * ```
 *
 * @since 1.0.0
 * @category constructors
 */
export const struct = <Fields extends Struct.Fields>(fields: Fields): Struct<Fields> => {
  const names = new Set<string>()
  for (const { name } of Object.values(fields)) {
    if (names.has(name)) throw new TypeError(`two properties of the struct have the key ${JSON.stringify(name)}`)
    names.add(name)
  }
  return { fields }
}

/**
 * The properties of a struct with their keys.
 *
 * @internal
 */
export const keysOf = <Fields extends Struct.Fields>(
  { fields }: Struct<Fields>
): ReadonlyArray<readonly [property: string, key: SessionKey<unknown, unknown, Struct.Context<Fields>, unknown>]> =>
  // Sound: nothing else has what a struct's fields ask for, and the types of their values are the struct's.
  Object.entries(fields) as unknown as ReturnType<typeof keysOf<Fields>>

/**
 * Describes an older version of a value: its schema, the pure function that turns it into the next version, and the version
 * before it.
 *
 * A value is read through the chain of versions, beginning with the one in which it was written, and it is written back in the
 * current version with the request's commit.
 *
 * @example
 * ```ts run
 * import { RequestContext, SessionKey } from "effect-session"
 * import * as Testing from "effect-session/Testing"
 * import { Effect, Option, Schema } from "effect"
 * import assert from "node:assert/strict"
 *
 * // three deploys of one key
 * const v1 = SessionKey.previous(Schema.String, (name) => ({ name }))
 * const v2 = SessionKey.previous(Schema.Struct({ name: Schema.String }), ({ name }) => ({ name, email: null }), { from: v1 })
 * const User = SessionKey.make(
 *   "user",
 *   Schema.Struct({ name: Schema.String, email: Schema.NullOr(Schema.String) }),
 *   { from: v2 }
 * )
 *
 * // a session that was written before the second deploy
 * const contents = [Testing.value(SessionKey.make("user", Schema.String), "ada")]
 * const user = await Effect.runPromise(Effect.provide(RequestContext.get(User), Testing.layerTest({ contents })))
 *
 * assert.deepEqual(user, Option.some({ name: "ada", email: null }))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const previous = <A, I, B, R = never, RF = never>(
  schema: Schemas.Codec<A, I, R>,
  migrate: (old: A) => B,
  options?: { readonly from?: Previous<NoInfer<A>, RF> | undefined }
): Previous<B, R | RF> => {
  const decode = Schemas.decoder(schema)
  const from = options?.from
  const depth = from === undefined ? 1 : from.depth + 1
  return {
    depth,
    read: (json, version) =>
      version < depth ? Schemas.map(from!.read(json, version), migrate) : Schemas.map(decode(json), migrate)
  }
}
