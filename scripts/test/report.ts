/** What one part of `npm test` hands to the whole: a file, because each part is a process of its own. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"

export interface Report {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** one line for each reason, and how many tests it skipped */
  readonly reasons: ReadonlyArray<string>
}

/** The part writes here; unset when it runs by itself. */
const variable = "TEST_REPORT"

/** What is there already is of a part that ran before: the edition for Effect 4 has two in one report. */
export const write = (report: Report): void => {
  const file = process.env[variable]
  if (file === undefined) return
  const { failed, passed, reasons, skipped } = read(file) ?? { passed: 0, failed: 0, skipped: 0, reasons: [] }
  writeFileSync(
    file,
    JSON.stringify({
      passed: passed + report.passed,
      failed: failed + report.failed,
      skipped: skipped + report.skipped,
      reasons: [...reasons, ...report.reasons]
    })
  )
}

/**
 * Files of reports that runs before this one have written, such as that of the edition for Effect 4; each of them counts in
 * the closing line.
 */
export const before = (): ReadonlyArray<string> => (process.env["TEST_REPORTS"] ?? "").split(":").filter(Boolean)

export const environment = (file: string): NodeJS.ProcessEnv => ({ ...process.env, [variable]: file })

export const read = (file: string): Report | undefined =>
  existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Report : undefined
