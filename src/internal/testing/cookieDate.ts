/**
 * The date of an `Expires` attribute as browsers read it (RFC 6265bis, 5.1.1): forgiving about everything between and
 * around a time, a day, a month and a year, in any order.
 */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** Everything that is no digit, no letter and no colon, and no byte beyond ASCII. */
const delimiters = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/

const time = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/
const dayOfMonth = /^(\d{1,2})(?:\D|$)/
const year = /^(\d{2,4})(?:\D|$)/

/** Milliseconds since the epoch; undefined when it is no date. */
export const parse = (text: string): number | undefined => {
  let clock: readonly [hour: number, minute: number, second: number] | undefined
  let day: number | undefined
  let month: number | undefined
  let years: number | undefined
  for (const token of text.split(delimiters)) {
    let match: RegExpExecArray | null
    if (clock === undefined && (match = time.exec(token)) !== null) {
      clock = [Number(match[1]), Number(match[2]), Number(match[3])]
    } else if (day === undefined && (match = dayOfMonth.exec(token)) !== null) {
      day = Number(match[1])
    } else if (month === undefined && months.includes(token.slice(0, 3).toLowerCase())) {
      month = months.indexOf(token.slice(0, 3).toLowerCase())
    } else if (years === undefined && (match = year.exec(token)) !== null) {
      years = Number(match[1])
    }
  }
  if (clock === undefined || day === undefined || month === undefined || years === undefined) return undefined
  if (years >= 70 && years <= 99) years += 1900
  else if (years <= 69) years += 2000
  const [hour, minute, second] = clock
  if (day < 1 || day > 31 || years < 1601 || hour > 23 || minute > 59 || second > 59) return undefined
  const millis = Date.UTC(years, month, day, hour, minute, second)
  // the 31st of a shorter month is no date
  return new Date(millis).getUTCDate() === day ? millis : undefined
}
