/**
 * The JSON text of an encoded value, or the reason why there is none. This is stricter than `JSON.stringify`, which silently
 * drops and rounds values and calls `toJSON`: what is written must come back equal.
 */

export interface Text {
  readonly text: string
  /** a property whose value is undefined was left out */
  readonly lossy: boolean
}

export interface NotJson {
  readonly problem: string
  readonly path: string
}

class Refused extends Error {
  constructor(readonly problem: string, readonly path: string) {
    super(problem)
  }
}

/** Returns the text of a value that is JSON, otherwise the first problem and its path. */
export const stringify = (value: unknown): Text | NotJson => {
  if (typeof value === "string") return { text: JSON.stringify(value), lossy: false }
  try {
    const lossy = check(value, undefined)
    return { text: JSON.stringify(value), lossy }
  } catch (error) {
    if (error instanceof Refused) return error
    // A cycle or a nesting that overflows the stack, here or in JSON.stringify (RangeError); or a getter that threw.
    return { problem: "the encoded value is circular, nested too deeply, or cannot be read", path: "" }
  }
}

interface Path {
  readonly parent: Path | undefined
  readonly key: string | number
}

const refuse = (problem: string, path: Path | undefined): never => {
  const keys: Array<string | number> = []
  for (let at = path; at !== undefined; at = at.parent) keys.unshift(at.key)
  throw new Refused(problem, keys.join("."))
}

/** Throws `Refused` for what is not JSON. Returns whether properties were passed over whose value is undefined. */
const check = (value: unknown, path: Path | undefined): boolean => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return false
    case "number":
      return Number.isFinite(value) ? false : refuse(`${value} is not JSON`, path)
    case "object":
      break
    default:
      return refuse(`${typeof value} is not JSON`, path)
  }
  if (value === null) return false
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") {
    return refuse("a value with a toJSON method is not JSON: the key's schema must encode it", path)
  }
  let lossy = false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (check(value[i], { parent: path, key: i })) lossy = true
    }
    return lossy
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    return refuse("an instance of a class is not JSON: the key's schema must encode it", path)
  }
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key]
    if (property === undefined) lossy = true
    else if (check(property, { parent: path, key })) lossy = true
  }
  return lossy
}
