/**
 * Writes the page and its charts, and returns the targets as text for the terminal.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { charts } from "./charts.js"
import { page } from "./page.js"
import { notFaster, targets } from "./targets.js"

const verdict = (met) => met === undefined ? "  –   " : met ? "met   " : "MISSED"

export const report = (results, places) => {
  mkdirSync(places.charts, { recursive: true })
  for (const [name, svg] of Object.entries(charts(results.sections))) {
    writeFileSync(join(places.charts, `${name}.svg`), svg)
  }
  mkdirSync(dirname(places.page), { recursive: true })
  writeFileSync(places.page, page(results, basename(places.charts)))
  const lines = targets(results.sections).map(({ id, measured, met, wanted, what }) =>
    `${id.padEnd(4)}${verdict(met)}  ${wanted.padEnd(10)} ${measured.padEnd(14)} ${what}`
  )
  const { ahead, close } = notFaster(results.sections)
  const list = (title, items) => items.length === 0 ? [] : ["", title, ...items.map((item) => `  ${item}`)]
  return [...lines, ...list("clearly ahead of effect-session:", ahead), ...list("ahead by the median only:", close)]
    .join("\n")
}
