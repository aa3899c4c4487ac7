/**
 * What is inside a key ring. Kept out of the public module, so that nothing which can be imported reaches a key.
 */
import { type Inspectable, NodeInspectSymbol } from "effect/Inspectable"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { createSecretKey, type KeyObject } from "node:crypto"

/** Key material, as the private cookie jar splits it: the first half signs, the second encrypts. */
export const materialLength = 64
const encryptingFrom = 32

/** The most keys of a ring. */
export const maxKeys = 8

/** A start-up warning is due for an encrypting half with fewer distinct octets. */
const fewDistinct = 8

/**
 * One key: its encrypting half, prepared once. The signing half has no use here and is not kept.
 */
interface Key {
  readonly object: KeyObject
  readonly weak: boolean
}

/** Copies what it needs of 64 or more octets. */
export const key = (material: Uint8Array): Key => {
  const half = Uint8Array.from(material.subarray(encryptingFrom, materialLength))
  const object = createSecretKey(half)
  const weak = new Set(half).size < fewDistinct
  half.fill(0)
  return { object, weak }
}

/**
 * The symbol that marks a ring.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = Symbol.for("effect-session/KeyRing") as TypeId

/**
 * The type of the symbol that marks a ring.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * A ring of 1 to 8 keys. Opaque: no property, text, JSON or inspection of it shows key material.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRing extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
}

const redacted = "KeyRing(<redacted>)"

/**
 * Private fields and accessors of the prototype only: an instance has no own property, so that a dump by property, by
 * JSON, by text or by the inspector has nothing to show.
 */
class KeyRingImpl implements KeyRing {
  readonly #keys: ReadonlyArray<Key>
  readonly #objects: ReadonlyArray<KeyObject>

  constructor(keys: ReadonlyArray<Key>) {
    this.#keys = keys
    this.#objects = keys.map(({ object }) => object)
  }

  static keys(ring: KeyRing): ReadonlyArray<Key> {
    return (ring as KeyRingImpl).#keys // the class is the only one that has the type id; anything else throws here
  }

  static objects(ring: KeyRing): ReadonlyArray<KeyObject> {
    return (ring as KeyRingImpl).#objects
  }

  get [TypeId](): TypeId {
    return TypeId
  }

  toString(): string {
    return redacted
  }

  toJSON(): unknown {
    return redacted
  }

  [NodeInspectSymbol](): unknown {
    return redacted
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}

export const make = (keys: ReadonlyArray<Key>): KeyRing => new KeyRingImpl(keys)

export const keys = KeyRingImpl.keys

/** The encrypting keys, the sealing one first. */
export const keyObjects = KeyRingImpl.objects

/**
 * Whether a key of the ring has fewer than 8 distinct octets in its encrypting half: a text or a pattern, not random.
 */
export const hasWeakKey = (ring: KeyRing): boolean => KeyRingImpl.keys(ring).some(({ weak }) => weak)
