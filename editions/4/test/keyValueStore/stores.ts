/**
 * Key-value stores for tests. They keep their values in a map that the test can read and change.
 */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as PlatformError from "effect/PlatformError"

const asText = (value: string | Uint8Array): string =>
  typeof value === "string" ? value : new TextDecoder().decode(value)

export const broken = new KeyValueStore.KeyValueStoreError({ method: "any", message: "out of order" })

const notFound = new KeyValueStore.KeyValueStoreError({
  method: "remove",
  message: "there is no such value",
  cause: PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "remove" })
})

export interface MapStore {
  readonly store: KeyValueStore.KeyValueStore
  readonly values: Map<string, string>
  readonly count: { gets: number; sets: number; removes: number }
}

/**
 * A store that behaves as a file system does, and counts its calls: every call yields, a reader sees a half-written value
 * while a writer writes it, and removing a missing value is an error.
 */
export const overMap = (values = new Map<string, string>()): MapStore => {
  const count = { gets: 0, sets: 0, removes: 0 }
  const get = (key: string) =>
    Effect.andThen(
      Effect.yieldNow,
      Effect.sync(() => {
        count.gets++
        return values.get(key)
      })
    )
  const store = KeyValueStore.make({
    get,
    getUint8Array: (key) =>
      Effect.map(get(key), (text) => text === undefined ? undefined : new TextEncoder().encode(text)),
    set: (key, value) =>
      Effect.sync(() => {
        count.sets++
        values.set(key, asText(value).slice(0, asText(value).length >> 1))
      }).pipe(
        Effect.andThen(Effect.yieldNow),
        Effect.andThen(Effect.sync(() => values.set(key, asText(value))))
      ),
    remove: (key) =>
      Effect.suspend(() => {
        count.removes++
        return values.delete(key) ? Effect.void : Effect.fail(notFound)
      }),
    clear: Effect.sync(() => values.clear()),
    size: Effect.sync(() => values.size),
    keys: Effect.sync(() => [...values.keys()])
  })
  return { store, values, count }
}

/**
 * A store whose process is killed. Among the calls that change something, the one of that number is done by half (`torn`)
 * or not at all, and every later call fails.
 */
export const dyingAt = (
  values: Map<string, string>,
  call: number,
  torn: boolean
): KeyValueStore.KeyValueStore => {
  let calls = 0
  const alive = Effect.suspend(() => calls > call ? Effect.fail(broken) : Effect.void)
  const change = (half: () => void, whole: () => void) =>
    Effect.suspend(() => {
      calls++
      if (calls < call) return Effect.sync(whole)
      if (calls === call && torn) half()
      calls = call + 1
      return Effect.fail(broken)
    })
  const get = (key: string) => Effect.map(alive, () => values.get(key))
  return KeyValueStore.make({
    get,
    getUint8Array: (key) =>
      Effect.map(get(key), (text) => text === undefined ? undefined : new TextEncoder().encode(text)),
    set: (key, value) => {
      const text = asText(value)
      return change(() => values.set(key, text.slice(0, text.length >> 1)), () => values.set(key, text))
    },
    remove: (key) =>
      Effect.suspend(() =>
        values.has(key) ? change(() => values.delete(key), () => values.delete(key)) : Effect.fail(notFound)
      ),
    clear: Effect.sync(() => values.clear()),
    size: Effect.sync(() => values.size),
    keys: Effect.sync(() => [...values.keys()])
  })
}
