/** Counts what vitest ran. Everything that is not a passed test or a skip with its reason counts as failed. */
import { relative } from "node:path"
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node"
import * as Report from "./report.js"

/** `ctx.skip(reason)` leaves a note; `describeWith` of test/services.ts writes the reason into the title. */
const reasonOf = (test: TestCase): string | undefined => {
  const result = test.result()
  const note = result.state === "skipped" ? result.note : undefined
  return note ?? /\(skipped: (.*?)\)( > |$)/.exec(test.fullName)?.[1]
}

export default class VitestReporter implements Reporter {
  private isFiltered = false

  onInit(vitest: Vitest): void {
    this.isFiltered = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    let passed = 0
    let failed = unhandledErrors.length
    const skips = new Map<string, number>()
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId)
      // a file that does not load has no tests, and a failed `beforeAll` leaves its tests unrun
      failed += module.errors().length
      for (const suite of module.children.allSuites()) failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === "passed") passed++
        else if (state === "failed") failed++
        else if (state === "pending") {
          failed++
          console.log(`did not finish: ${file} > ${test.fullName}`)
        } else {
          const reason = reasonOf(test)
          if (reason === undefined && !this.isFiltered) {
            failed++
            console.log(`skipped without a reason, which counts as failed: ${file} > ${test.fullName}`)
          } else {
            const line = `${file}: ${reason ?? "not selected"}`
            skips.set(line, (skips.get(line) ?? 0) + 1)
          }
        }
      }
    }
    if (this.isFiltered && passed + failed === 0) {
      failed++
      console.log("the name that was asked for selects no test, which counts as failed")
    }
    Report.write({
      passed,
      failed,
      skipped: [...skips.values()].reduce((sum, count) => sum + count, 0),
      reasons: [...skips].map(([line, count]) => `${count} in ${line}`)
    })
  }
}
