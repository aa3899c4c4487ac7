import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { applyPatch } from "../../src/internal/codec/packedData.js"
import { Changes, emptyContent, isEmptyContent } from "../../src/internal/request/changes.js"

type Step =
  | { readonly op: "set"; readonly key: string; readonly text: string }
  | { readonly op: "remove"; readonly key: string }
  | { readonly op: "clear" }

const key = FastCheck.constantFrom("a", "b", "c", "", "__proto__", "constructor")
const text = FastCheck.constantFrom("0", "1", "null", "\"\"")
const data = FastCheck.array(FastCheck.tuple(key, text)).map((entries) => new Map(entries))
const step: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  { weight: 4, arbitrary: FastCheck.record({ op: FastCheck.constant("set" as const), key, text }) },
  { weight: 3, arbitrary: FastCheck.record({ op: FastCheck.constant("remove" as const), key }) },
  { weight: 1, arbitrary: FastCheck.constant<Step>({ op: "clear" }) }
)
const steps = FastCheck.array(step, { maxLength: 12 })

const take = (changes: Changes, done: ReadonlyArray<Step>): Changes => {
  for (const step of done) {
    if (step.op === "set") changes.set(step.key, step.text)
    else if (step.op === "remove") changes.remove(step.key)
    else changes.clear()
  }
  return changes
}

/** What the steps make of the data, one after another. */
const play = (base: ReadonlyMap<string, string>, done: ReadonlyArray<Step>): Map<string, string> => {
  const next = new Map(base)
  for (const step of done) {
    if (step.op === "set") next.set(step.key, step.text)
    else if (step.op === "remove") next.delete(step.key)
    else next.clear()
  }
  return next
}

const sorted = (data: ReadonlyMap<string, string>) => [...data].sort(([a], [b]) => a < b ? -1 : 1)

const check = <A>(property: FastCheck.IProperty<A>) => FastCheck.assert(property, { numRuns: 500 })

describe("changes of a request", () => {
  it("S3: the patch against loaded data has the result of the operations, one after another", () => {
    check(FastCheck.property(data, steps, (base, done) => {
      const patched = applyPatch(base, take(new Changes(), done).against(base))
      expect(sorted(patched)).toEqual(sorted(play(base, done)))
    }))
  })

  it("S3: the patch without loaded data has the same result on whatever is stored", () => {
    check(FastCheck.property(data, steps, (base, done) => {
      const patched = applyPatch(base, take(new Changes(), done).against(undefined))
      expect(sorted(patched)).toEqual(sorted(play(base, done)))
    }))
  })

  it("S3: what another request wrote to other keys since the load stays, unless the session was cleared", () => {
    const unclear = steps.filter((done) => done.every(({ op }) => op !== "clear"))
    check(FastCheck.property(data, unclear, FastCheck.constantFrom("x", "y"), text, (base, done, other, written) => {
      const patch = take(new Changes(), done).against(base)
      expect(applyPatch(new Map([...base, [other, written]]), patch).get(other)).toBe(written)
    }))
  })

  it("M2: operations that leave everything as it was give no patch", () => {
    check(FastCheck.property(data, steps, (base, done) => {
      const patch = take(new Changes(), done).against(base)
      const same = JSON.stringify(sorted(play(base, done))) === JSON.stringify(sorted(base))
      expect(isEmptyContent(patch)).toBe(same)
    }))
  })

  it("S3: a patch names no key twice, sets nothing that is already there, and removes nothing that is not there", () => {
    check(FastCheck.property(data, steps, (base, done) => {
      const { clear, remove, set } = take(new Changes(), done).against(base)
      for (const name of set.keys()) expect(remove.has(name)).toBe(false)
      for (const name of remove) expect([clear, base.has(name)]).toEqual([false, true])
      if (!clear) { for (const [name, value] of set) expect(base.get(name)).not.toBe(value) }
    }))
  })

  it("C7: a request sees its own operations, whatever is stored", () => {
    check(FastCheck.property(data, steps, key, (base, done, name) => {
      const pending = take(new Changes(), done).lookup(name)
      expect(pending === undefined ? base.get(name) : pending ?? undefined).toBe(play(base, done).get(name))
    }))
  })

  it("C7: changes on top of other changes have the result of both, one after the other", () => {
    check(FastCheck.property(data, steps, steps, (base, first, second) => {
      const both = take(new Changes(), first)
      both.absorb(take(new Changes(), second))
      expect(sorted(applyPatch(base, both.against(base)))).toEqual(sorted(play(base, [...first, ...second])))
      expect(sorted(applyPatch(base, both.against(undefined)))).toEqual(sorted(play(base, [...first, ...second])))
    }))
  })

  it("M2: two sets of changes never share their content", () => {
    const one = new Changes()
    const two = new Changes()
    one.set("a", "1")
    one.migrate("b", "0", "1")
    expect([two.isEmpty, two.hasMigrations, two.lookup("a")]).toEqual([true, false, undefined])
    one.clear()
    one.set("c", "1")
    expect(new Changes().lookup("c")).toBeUndefined()
    two.absorb(one)
    one.set("c", "2")
    expect(two.lookup("c")).toBe("1")
    expect(emptyContent).toEqual({ clear: false, set: new Map(), remove: new Set() })
  })

  it("C2: a migrated value is written only over the text it was read from, and never over a change", () => {
    check(FastCheck.property(data, steps, key, text, (base, done, name, from) => {
      const changes = take(new Changes(), done)
      changes.migrate(name, from, "migrated")
      const set = changes.migrationsOf(base)
      const changed = changes.lookup(name) !== undefined
      expect([...set]).toEqual(!changed && base.get(name) === from ? [[name, "migrated"]] : [])
    }))
  })
})
