import { expect, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Table from "../../src/internal/sql/table.js"

it("F7: docs/stores.md shows the table, the indexes and the locks that createTable makes in PostgreSQL", () => {
  const page = readFileSync(new URL("../../docs/stores.md", import.meta.url), "utf8")
  const shown = /```sql\n([^]*?)```/.exec(page)?.[1]
  const [sessions, expires, subject, locks, slots] = Table.make("pg", undefined, Table.defaultName).parts
  const created = [sessions, expires, subject, locks].map(({ create }) => `${create};\n`)
  expect(shown).toBe(created.join(""))
  expect(slots.create).toContain(`(${Table.lockSlots - 1}, 0)`)
  expect(page).toContain(`rows 0 to ${Table.lockSlots - 1}`)
})
