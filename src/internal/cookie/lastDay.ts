/**
 * The last day of a key, as a calendar day. A day is the same everywhere only in UTC, so that the day ends there.
 */

const pattern = /^(\d{4})-(\d{2})-(\d{2})$/

const dayMillis = 24 * 60 * 60 * 1000

/** What a last day must be, for the message of a mistake. */
export const accepted = "must be a day as YYYY-MM-DD (2026-12-31), which ends at midnight UTC"

/**
 * The first instant after the day, in milliseconds since the epoch; undefined for anything but a day of the calendar. Loaders
 * of YAML 1.1 make a `Date` of a day.
 */
export const endOf = (day: unknown): number | undefined => {
  if (day instanceof Date) return day.getTime() % dayMillis === 0 ? day.getTime() + dayMillis : undefined
  const [, year, month, date] = typeof day === "string" ? pattern.exec(day.trim()) ?? [] : []
  if (year === undefined) return undefined
  const start = Date.UTC(Number(year), Number(month) - 1, Number(date))
  // `Date` reads the 31st of a shorter month as a day of the next one, and the years 0 to 99 as 1900 to 1999.
  return new Date(start).toISOString().startsWith(`${year}-${month}-${date}T`) ? start + dayMillis : undefined
}

/** The day of an instant. */
export const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)
