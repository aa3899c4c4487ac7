/**
 * Sealing and opening one session (P1). All contestants take turns in one process.
 */
import { deepStrictEqual } from "node:assert"
import { contestants as all } from "../codec/contestants.js"
import { interleave } from "../harness/interleave.js"
import { ratio, summary } from "../harness/statistics.js"

const sizes = [{ id: "100", bytes: 100 }, { id: "1024", bytes: 1024 }, { id: "3072", bytes: 3072 }]

/** A session whose JSON has exactly this many bytes: a few short fields and one long one, as a shopping cart has. */
const sessionOf = (bytes) => {
  const session = { user: "0f8fad5b-d9cb", role: "member", visits: 41, cart: "" }
  session.cart = Array.from({ length: bytes - JSON.stringify(session).length }, (_, i) => "abcdefghij 0123"[i % 15])
    .join("")
  return session
}

const tamper = (sealed) => {
  const at = sealed.length >> 1
  return sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1)
}

/** A contestant must return what it sealed, seal the same session twice differently, and refuse a changed seal. */
const prove = async (contestant, session) => {
  const sealed = await contestant.seal(session)
  const { __ts: _, ...given } = await contestant.open(sealed)
  deepStrictEqual(given, session, `${contestant.id} does not return what it sealed`)
  if (sealed === await contestant.seal(session)) throw new Error(`${contestant.id}: two seals of one session are equal`)
  let opened
  try {
    opened = await contestant.open(tamper(sealed))
  } catch {
    return // It refused, as it must.
  }
  // iron-session returns an empty session instead of failing.
  if (opened !== undefined && opened !== null && Object.keys(opened).length > 0) {
    throw new Error(`${contestant.id} opens a seal that was changed`)
  }
}

const now = () => Number(process.hrtime.bigint()) / 1000

/** Microseconds for one seal + open, over a batch of this many. */
const timed = async ({ asynchronous, open, seal }, input, iterations) => {
  const start = now()
  if (asynchronous) {
    for (let i = 0; i < iterations; i++) await open(await seal(input))
  } else {
    for (let i = 0; i < iterations; i++) open(seal(input))
  }
  return (now() - start) / iterations
}

const calibrate = async (contestant, input, millis) => {
  let iterations = 16
  for (;;) {
    const micros = await timed(contestant, input, iterations)
    if (micros * iterations >= millis * 500) return Math.max(8, Math.round(millis * 1000 / micros))
    iterations *= 2
  }
}

const compare = async (contestants, input, rounds, millis) => {
  const iterations = new Map()
  for (const contestant of contestants) iterations.set(contestant.id, await calibrate(contestant, input, millis))
  const values = await interleave(
    contestants,
    rounds,
    (contestant) => timed(contestant, input, iterations.get(contestant.id))
  )
  const base = values.get("straightforward")
  return contestants.map((contestant) => ({
    id: contestant.id,
    label: contestant.label,
    ours: contestant.ours === true,
    micros: summary(values.get(contestant.id)),
    // Speed: above 1 is faster than straightforward node:crypto.
    speed: ratio(base, values.get(contestant.id)),
    oursIsFaster: ratio(values.get(contestant.id), values.get("ours"))
  }))
}

export const run = async ({ log, quick, rounds }) => {
  const contestants = await all()
  const settings = quick ? { rounds: 5, millis: 25 } : { rounds: Math.max(rounds, 15), millis: 120 }
  const withJson = {}
  const textOnly = {}
  for (const size of sizes) {
    const session = sessionOf(size.bytes)
    for (const contestant of contestants) await prove(contestant, session)
    withJson[size.id] = await compare(contestants, session, settings.rounds, settings.millis)
    textOnly[size.id] = await compare(
      contestants.filter(({ text }) => text !== undefined).map((contestant) => ({ ...contestant, ...contestant.text })),
      JSON.stringify(session),
      settings.rounds,
      settings.millis
    )
    log(`codec: a session of ${size.bytes} bytes`)
  }
  return { ...settings, withJson, textOnly }
}
