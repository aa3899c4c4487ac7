/**
 * The two steps of replacing a key, in the text of a YAML file. What stands beside the keys stays, comments included.
 */
import * as YAML from "yaml"
import { failed } from "./command.js"

const places = [[], ["server", "middlewares"]] as const

const document = (text: string): YAML.Document => YAML.parseDocument(text, { schema: "core", merge: false })

/** The mapping of the Cookie store's value. The text has been decoded before, so that it is there. */
const cookieValue = (file: YAML.Document): YAML.YAMLMap => {
  for (const parents of places) {
    const node = file.getIn([...parents, "request_context", "session_store", "value"], true)
    const target = YAML.isAlias(node) ? node.resolve(file) : node
    if (YAML.isMap(target)) return target
  }
  throw failed("the keys do not stand in a mapping request_context.session_store.value of the file")
}

/** Lists stand as deep as their key in some files, and deeper in others. */
const print = (file: YAML.Document, before: string): string =>
  file.toString({ lineWidth: 0, indentSeq: !/^( *)[^\s#-][^\n]*:[^\S\n]*\n\1- /m.test(before) })

const text = (value: string): YAML.Scalar => {
  const scalar = new YAML.Scalar(value)
  scalar.type = YAML.Scalar.QUOTE_DOUBLE
  return scalar
}

/** The pair of a key; the names of a decoded mapping are plain texts. */
const pairOf = (map: YAML.YAMLMap, name: string) =>
  map.items.find(({ key }) => (YAML.isScalar(key) ? key.value : key) === name)

const sealing = (map: YAML.YAMLMap): "secret" | "private_key" => pairOf(map, "secret") ? "secret" : "private_key"

/** The first step: the secret opens, and the current key goes on to seal. */
export const add = (before: string, secret: string): string => {
  const file = document(before)
  const value = cookieValue(file)
  if (pairOf(value, "next_secret") ?? pairOf(value, "next_key")) {
    throw failed("there is a next key already: deploy it everywhere, and then run rotate promote")
  }
  const at = value.items.indexOf(pairOf(value, sealing(value))!) // a decoded file has one of the two
  value.items.splice(at + 1, 0, file.createPair("next_secret", text(secret)))
  return print(file, before)
}

/** The second step: the next key seals, and the current one stays behind it, with its last day. */
export const promote = (before: string, lastDay: string | undefined): string => {
  const file = document(before)
  const value = cookieValue(file)
  const next = pairOf(value, "next_secret") ?? pairOf(value, "next_key")
  if (next === undefined) throw failed("there is no next key: run rotate add first, and deploy the file everywhere")
  const isSecret = pairOf(value, "next_secret") !== undefined
  const former = sealing(value)
  const current = pairOf(value, former)!
  const list = former === "secret" ? "previous_secrets" : "previous_keys"

  const old = current.value
  current.key = file.createNode(isSecret ? "secret" : "private_key")
  current.value = next.value
  value.items.splice(value.items.indexOf(next), 1)
  const entry = lastDay === undefined ? old : Object.assign(new YAML.YAMLMap(file.schema), {
    items: [new YAML.Pair(file.createNode(former), old), file.createPair("last_day", lastDay)]
  })
  const previous = pairOf(value, list)
  if (previous === undefined) {
    const entries = new YAML.YAMLSeq(file.schema)
    entries.items.push(entry)
    value.items.splice(value.items.indexOf(current) + 1, 0, new YAML.Pair(file.createNode(list), entries))
  } else if (YAML.isSeq(previous.value)) {
    previous.value.items.unshift(entry)
  } else {
    throw failed(`${list} is not a list that stands in the file itself`)
  }
  return print(file, before)
}
