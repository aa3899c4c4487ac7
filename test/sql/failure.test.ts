import { Cause } from "effect"
import { expect, it } from "vitest"
import * as Failure from "../../src/internal/sql/failure.js"

it("M5: what node:sqlite says by a number is understood, such as that another process has locked the file", () => {
  const of = (errcode: number) =>
    Failure.describe(Cause.fail(Object.assign(new Error("refused"), { code: "ERR_SQLITE_ERROR", errcode })))
  // with the numbers that say more: a recovery, a snapshot, a shared cache
  for (const locked of [5, 261, 517, 6, 262]) expect([locked, of(locked).contended]).toEqual([locked, true])
  for (const other of [1, 8, 13, 19]) expect([other, of(other).contended]).toEqual([other, false])
  expect(of(13).detail).toBe("refused (SQLITE_FULL)")
  expect(of(1).detail).toBe("refused (ERR_SQLITE_ERROR)")
})
