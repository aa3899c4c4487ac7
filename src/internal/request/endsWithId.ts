/**
 * The keys whose values end with the session's id: `renew` and `bind` keep every other value (row C10), and drop these. What
 * somebody learned before a sign-in must be worth nothing after it.
 */
import type { PatchContent } from "./changes.js"

/** Where `Csrf` keeps the secret of a session's forms. */
export const csrfSecret = "effect-session/Csrf"

export const names: ReadonlyArray<string> = [csrfSecret]

/**
 * The changes of a save under a new id. Such a key is removed even where another request has set it since the session was
 * loaded. What this request has set after `renew` belongs to the new id already; a sign-in saves at once, so that whatever
 * was set comes from before it.
 */
export const end = (content: PatchContent, signsIn: boolean): PatchContent => {
  const ending = names.filter((name) => signsIn || !content.set.has(name))
  return {
    clear: content.clear,
    set: new Map([...content.set].filter(([name]) => !ending.includes(name))),
    remove: new Set([...content.remove, ...ending])
  }
}
