/**
 * A million sessions in memory (P5), and the longest pause while sessions are added and while one in a hundred expires (P6).
 */
import { askChild } from "../harness/child.js"
import { interleave } from "../harness/interleave.js"
import { current, longTerm, nodeOf } from "../harness/nodes.js"
import { ratio, summary } from "../harness/statistics.js"
import { contestants } from "../memory/contestants.js"

export const run = async ({ log, quick, rounds: wanted, skipped }) => {
  const rounds = quick ? 3 : wanted
  const node = quick ? current : nodeOf(longTerm, skipped) ?? current
  const sessions = quick ? 100_000 : 1_000_000
  // On no core of its own: the threads of V8 that compile and collect would share it, and count as turns of the event loop.
  const measure = ({ id }) =>
    askChild({
      node: node.binary,
      script: "memory/child.js",
      args: [id, sessions],
      nodeArgs: ["--expose-gc", "--max-old-space-size=4096"]
    })
  const all = Object.entries(contestants).map(([id, contestant]) => ({ id, ...contestant }))
  const measured = await interleave(all, rounds, measure, (round, of) => log(`memory: round ${round} of ${of}`))
  const column = (id, pick) => measured.get(id).map(pick)
  return {
    rounds,
    node: node.version,
    sessions,
    rows: all.map(({ control, id, label, ours }) => {
      const expires = measured.get(id)[0].expiry !== undefined
      return {
        id,
        label,
        ours: ours === true,
        control: control === true,
        bytesPerSession: summary(column(id, ({ bytesPerSession }) => bytesPerSession)),
        rssPerSession: summary(column(id, ({ rssPerSession }) => rssPerSession)),
        fillMicros: summary(column(id, ({ fillMicros }) => fillMicros)),
        growthMillis: summary(column(id, ({ growth }) => growth.withoutGc)),
        growthWithGcMillis: summary(column(id, ({ growth }) => growth.withGc)),
        expiryMillis: expires ? summary(column(id, ({ expiry }) => expiry.withoutGc)) : undefined,
        expiryWithGcMillis: expires ? summary(column(id, ({ expiry }) => expiry.withGc)) : undefined,
        lighterThan: ratio(column(id, (each) => each.bytesPerSession), column("ours", (each) => each.bytesPerSession))
      }
    })
  }
}
