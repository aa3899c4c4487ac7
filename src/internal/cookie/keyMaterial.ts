/**
 * What is inside a key ring. It is kept out of the public module, so that nothing that can be imported reaches a key.
 */
import { type Inspectable, NodeInspectSymbol } from "effect/Inspectable"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import { createSecretKey, type KeyObject } from "node:crypto"

/** The bytes of key material. As in the private cookie jar, the first half signs and the second half encrypts. */
export const materialLength = 64
const encryptingFrom = 32

/** The most keys of a ring. */
export const maxKeys = 8

/** An encrypting half with fewer distinct bytes leads to a warning at start-up. */
const fewDistinct = 8

/**
 * One key: its encrypting half, prepared once. The signing half is not used here, and it is not kept. From `endsAt` on, in
 * milliseconds since the epoch, the key opens nothing; it is `Infinity` for a key without a last day.
 */
interface Key {
  readonly object: KeyObject
  readonly weak: boolean
  readonly endsAt: number
}

/**
 * Memory for key material that nothing else shares. A Buffer of this size would be a part of a pool that unrelated Buffers lie
 * in as well, and a small typed array would lie on the heap, where the garbage collector leaves copies behind.
 */
export const allocate = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length))

/** Copies what it needs of 64 or more bytes. */
export const key = (material: Uint8Array): Key => {
  const half = allocate(materialLength - encryptingFrom)
  half.set(material.subarray(encryptingFrom, materialLength))
  const object = createSecretKey(half)
  const weak = countDistinct(half) < fewDistinct
  half.fill(0)
  return { object, weak, endsAt: Infinity }
}

const countDistinct = (bytes: Uint8Array): number => {
  const seen = allocate(256)
  let count = 0
  for (const byte of bytes) {
    count += 1 - seen[byte]
    seen[byte] = 1
  }
  seen.fill(0)
  return count
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
 * A ring of 1 to 8 keys. It is opaque: no property, text, JSON or inspection of it shows key material.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyRing extends Inspectable, Pipeable {
  readonly [TypeId]: TypeId
}

const redacted = "KeyRing(<redacted>)"

/**
 * Has private fields and accessors of the prototype only. An instance has no property of its own, so that a dump by property,
 * as JSON, as text or by the inspector has nothing to show.
 */
class KeyRingImpl implements KeyRing {
  readonly #keys: ReadonlyArray<Key>
  readonly #objects: ReadonlyArray<KeyObject>
  readonly #hasLastDay: boolean

  constructor(keys: ReadonlyArray<Key>) {
    this.#keys = keys
    this.#objects = keys.map(({ object }) => object)
    this.#hasLastDay = keys.some(({ endsAt }) => endsAt !== Infinity)
  }

  static keys(ring: KeyRing): ReadonlyArray<Key> {
    return (ring as KeyRingImpl).#keys // no other class has the type id; what was cast to it throws here
  }

  static objects(ring: KeyRing): ReadonlyArray<KeyObject> {
    return (ring as KeyRingImpl).#objects
  }

  static opening(ring: KeyRing, now: number): ReadonlyArray<KeyObject> {
    const self = ring as KeyRingImpl
    return self.#hasLastDay
      ? self.#keys.filter(({ endsAt }) => now < endsAt).map(({ object }) => object)
      : self.#objects
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

/** The encrypting keys. The first one seals. */
export const keyObjects = KeyRingImpl.objects

/** The keys that open at an instant: those whose last day is not over. */
export const opening = KeyRingImpl.opening

/** The ring of the same keys, which open nothing from an instant on; where a key has an earlier end, that one stays. */
export const ending = (ring: KeyRing, endsAt: number): KeyRing =>
  make(keys(ring).map((key) => ({ ...key, endsAt: Math.min(key.endsAt, endsAt) })))

/** A key that seals must not have a last day, because what it sealed would end with it. */
export const sealingEnds = (ring: KeyRing): boolean => keys(ring)[0].endsAt !== Infinity

/** Whether a key of the ring has fewer than 8 distinct bytes in its encrypting half, as texts and patterns have. */
export const hasWeakKey = (ring: KeyRing): boolean => KeyRingImpl.keys(ring).some(({ weak }) => weak)
