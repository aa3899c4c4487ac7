/** Numbers as people read them: three significant digits, thousands apart. */
export const number = (value) => {
  if (value === undefined || Number.isNaN(value)) return "–"
  const absolute = Math.abs(value)
  if (absolute === 0) return "0"
  const digits = absolute >= 100 ? 0 : absolute >= 10 ? 1 : absolute >= 1 ? 2 : 3
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The median and the middle half of the rounds. */
export const spread = (summary) =>
  summary === undefined ? "–" : `${number(summary.median)} (${number(summary.q1)}–${number(summary.q3)})`

export const times = (value) => value === undefined ? "–" : `${number(value)}×`

/** The first column is text; the others are numbers, unless `words` names them. */
export const table = (head, rows, words = []) =>
  [
    `| ${head.join(" | ")} |`,
    `|${head.map((name, at) => at === 0 || words.includes(name) ? " --- |" : " ---: |").join("")}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`)
  ].join("\n")

export const emphasise = (ours, text) => ours ? `**${text}**` : text

export const bullets = (list) => list.map((line) => `- ${line}`).join("\n")
