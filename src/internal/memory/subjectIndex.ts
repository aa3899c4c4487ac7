/**
 * `SubjectIndex` on the memory of this process. A record leaves the index in the same step in which it is removed, so that no
 * entry is ever stale.
 */
import * as Effect from "effect/Effect"
import type { SubjectIndexService } from "../../SessionBackend.js"
import type { SessionTable } from "./sessionTable.js"
import { Measured } from "./texts.js"

const inserted = Effect.succeed("Inserted" as const)
const taken = Effect.succeed("Taken" as const)
const full = Effect.succeed("Full" as const)

export const make = (table: SessionTable): SubjectIndexService => ({
  insert: (id, session, now, bound, evicted) => {
    const admitted = table.admit(id, session, now)
    if (admitted === "Taken") return taken
    if (!(admitted instanceof Measured)) return admitted
    const ended: Array<string> = []
    if (bound !== undefined) {
      const others = table.ofSubject(session.owner.subject, now)
      const surplus = others.length + 1 - bound.max
      if (surplus > 0) {
        if (bound.whenFull === "refuse" || bound.max < 1) return full
        for (let i = 0; i < surplus; i++) {
          if (evicted !== undefined) ended.push(table.id(others[i]))
          table.drop(others[i])
        }
      }
    }
    table.put(session, admitted, now)
    for (const id of ended) evicted?.(id)
    return inserted
  },

  list: (subject, now) =>
    Effect.succeed(table.ofSubject(subject, now).map((slot) => ({ id: table.id(slot), session: table.listed(slot) }))),

  forget: () => Effect.void
})
