/**
 * Draws charts as plain SVG on a white background, so that they look the same everywhere.
 */
import { number } from "./format.js"

const width = 860
const labelWidth = 350
const valueWidth = 110
const rowHeight = 26
const top = 58

const colours = { ours: "#c2410c", peer: "#64748b", text: "#0f172a", faint: "#cbd5e1" }

const escape = (text) =>
  text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" })[sign])

const text = (x, y, content, { anchor = "start", colour = colours.text, size = 13, weight = 400 } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}" text-anchor="${anchor}">`
  + `${escape(content)}</text>`

const frame = (height, title, subtitle, body) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" `
    + `font-family="system-ui, sans-serif" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    `<desc>${escape(subtitle)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 24, title, { size: 16, weight: 600 }),
    text(16, 43, subtitle, { size: 12, colour: colours.peer }),
    ...body,
    "</svg>",
    ""
  ].join("\n")

const ticksOf = (low, high) => {
  const ticks = []
  for (let power = Math.ceil(Math.log10(low)); power <= Math.floor(Math.log10(high)); power++) ticks.push(10 ** power)
  return ticks
}

/**
 * Draws one line for each contestant: a bar from zero, or a dot on a logarithmic axis, which has no zero. The thin line covers
 * the middle half of the rounds.
 */
export const contest = ({ logarithmic = false, rows, subtitle, title, unit }) => {
  const left = labelWidth
  const right = width - valueWidth
  const shown = rows.filter(({ summary }) => summary !== undefined)
  const largest = Math.max(...shown.map(({ summary }) => summary.q3))
  const positive = shown.map(({ summary }) => summary.median).filter((value) => value > 0)
  const smallest = Math.min(...positive) / 1.6
  const scale = logarithmic
    ? (value) => {
      const part = Math.log(Math.max(value, smallest) / smallest) / Math.log(largest * 1.1 / smallest)
      return left + (right - left) * Math.min(1, part)
    }
    : (value) => left + (right - left) * Math.max(0, value) / (largest * 1.05)
  const height = top + shown.length * rowHeight + 34
  const bottom = top + shown.length * rowHeight
  const body = []
  if (logarithmic) {
    for (const tick of ticksOf(smallest, largest)) {
      const x = scale(tick).toFixed(1)
      body.push(
        `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${colours.faint}"/>`,
        text(x, bottom + 18, tick.toLocaleString("en-US"), { anchor: "middle", size: 11, colour: colours.peer })
      )
    }
  }
  shown.forEach(({ label, ours, summary }, index) => {
    const y = top + index * rowHeight + rowHeight / 2
    const x = scale(summary.median)
    const colour = ours ? colours.ours : colours.peer
    body.push(text(left - 10, y + 4, label, { anchor: "end", weight: ours ? 600 : 400 }))
    body.push(
      logarithmic
        ? `<circle cx="${x.toFixed(1)}" cy="${y}" r="6" fill="${colour}"/>`
        : `<rect x="${left}" y="${y - 8}" width="${
          Math.max(1, x - left).toFixed(1)
        }" height="16" rx="2" fill="${colour}"/>`
    )
    body.push(
      `<line x1="${scale(summary.q1).toFixed(1)}" x2="${scale(summary.q3).toFixed(1)}" y1="${y}" y2="${y}" `
        + `stroke="${colours.text}" stroke-width="1.5"/>`
    )
    body.push(text(width - 12, y + 4, `${number(summary.median)} ${unit}`, { anchor: "end", weight: ours ? 600 : 400 }))
  })
  if (logarithmic) {
    body.push(text(left - 10, bottom + 18, "logarithmic", { anchor: "end", size: 11, colour: colours.peer }))
  }
  return frame(height, title, subtitle, body)
}

const palette = ["#c2410c", "#0369a1", "#15803d", "#7e22ce"]

/** Draws lines over sizes. `logarithmic` is for both axes. */
export const lines = ({ logarithmic = false, series, subtitle, title, unit, xLabel }) => {
  const [left, right, bottom] = [80, width - 230, 330]
  const points = series.flatMap(({ points }) => points)
  const bounds = (values) => [Math.min(...values), Math.max(...values)]
  const [minX, maxX] = bounds(points.map(([x]) => x))
  const [lowY, highY] = bounds(points.map(([, y]) => y))
  const minY = logarithmic ? lowY / 1.5 : 0
  const maxY = logarithmic ? highY * 1.5 : highY * 1.1
  const part = (value, low, high) =>
    logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
  const x = (value) => left + (right - left) * part(value, minX, maxX)
  const y = (value) => bottom - (bottom - top) * part(value, minY, maxY)
  const body = [
    `<line x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="${colours.peer}"/>`,
    `<line x1="${left}" x2="${left}" y1="${top}" y2="${bottom}" stroke="${colours.peer}"/>`,
    text((left + right) / 2, bottom + 38, xLabel, { anchor: "middle", size: 12, colour: colours.peer })
  ]
  // Labels stand at the ends of the lines and move apart where two lines end close together.
  const ends = series.map(({ points: each }) => y(each[each.length - 1][1]))
  const labelAt = []
  for (const index of [...series.keys()].sort((a, b) => ends[a] - ends[b])) {
    const above = Math.max(...labelAt.filter((value) => value !== undefined), -Infinity)
    labelAt[index] = Math.max(ends[index], above + 16)
  }
  for (const tick of [...new Set(points.map(([value]) => value))]) {
    body.push(text(x(tick).toFixed(1), bottom + 18, number(tick).replace(/\.0+$/, ""), { anchor: "middle", size: 11 }))
  }
  const marks = logarithmic ? ticksOf(minY, maxY) : [0, 1, 2, 3, 4].map((n) => maxY * n / 4)
  for (const mark of marks) {
    const at = y(mark).toFixed(1)
    body.push(
      `<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="${colours.faint}"/>`,
      text(left - 8, Number(at) + 4, number(mark), { anchor: "end", size: 11 })
    )
  }
  series.forEach(({ label, points: each }, index) => {
    const colour = palette[index % palette.length]
    const path = each.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ")
    const [lastX, lastY] = each[each.length - 1]
    body.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`)
    for (const [px, py] of each) {
      body.push(`<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="4" fill="${colour}"/>`)
    }
    body.push(text(x(lastX) + 10, labelAt[index] + 4, `${label}: ${number(lastY)} ${unit}`, { size: 12, colour }))
  })
  return frame(bottom + 52, title, subtitle, body)
}
