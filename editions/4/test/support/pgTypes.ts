import * as PgTypes from "@effect/sql-pg/PgTypes"
import { Result } from "effect"

const int8 = 20

/** A registry in which 64-bit numbers arrive as something else. */
const reading = (as: (value: bigint) => unknown): PgTypes.Registry => {
  const registry = PgTypes.makeRegistry()
  registry.register(int8, {
    encode: (value: unknown) => {
      const bytes = new DataView(new ArrayBuffer(8))
      bytes.setBigInt64(0, BigInt(value as bigint))
      return Result.succeed(new Uint8Array(bytes.buffer))
    },
    decode: ({ buffer, byteOffset }) => Result.succeed(as(new DataView(buffer, byteOffset).getBigInt64(0)))
  })
  return registry
}

/** What a client for PostgreSQL may make of numbers, in place of what its driver does. */
export const pgTypes: ReadonlyArray<any> = [reading(String), reading(Number)]
