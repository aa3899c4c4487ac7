/**
 * What the contract lets a request do: from a possible world, the script, and how far the server says that it came, to the
 * worlds and the answers that are possible afterwards. Knows nothing of the library's code.
 */
import type { Entry, Script, Step, Value } from "./script.js"
import { add, type Data, end, type Late, living, put, type Session, type World } from "./world.js"

/** The session's cookie in the response. A `Set` of a session that has a token already repeats that token. */
export type Cookie =
  | { readonly _tag: "None" }
  | { readonly _tag: "Remove" }
  | { readonly _tag: "Set"; readonly serial: number; readonly same: string | undefined }

/** The result of a step; sessions by their numbers in the world that goes with it. */
export type Expected =
  | { readonly values: Data; readonly subject: string | null; readonly session: number | undefined }
  | { readonly value: Value | boolean | null }
  | { readonly sessions: ReadonlyArray<number>; readonly current: number | undefined }
  | { readonly error: string }

export interface Outcome {
  readonly world: World
  readonly results: ReadonlyArray<Expected>
  readonly cookie: Cookie
}

export interface Sent {
  readonly kind: "client" | "server"
  readonly token: string | undefined
  readonly script: Script
  readonly entry: Entry
}

/**
 * For a minute after a renewal the store knows of the old token that it was renewed away (row S9). The times here are the
 * client's, which learns of both a little later: in between, either is possible.
 */
const knownMillis = 45_000
const forgottenMillis = 90_000

/** A late write may come for as long as the store's time-out, and a little longer on a busy machine. */
const lateMillis = 8_000

const failed = (error: string): Expected => ({ error })
const done: Expected = { value: null }

type State =
  | { readonly _tag: "Unloaded" }
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Found"; readonly session: Session }
  | { readonly _tag: "Ended" }

/** One request in one world, as far as it has come. A key of the draft that is undefined is to be removed. */
interface Run {
  readonly world: World
  /** the request's token was renewed away, and the store still knows that it was (row C10) */
  readonly replaced: boolean
  readonly state: State
  readonly cleared: boolean
  readonly draft: ReadonlyMap<string, Value | undefined>
  readonly renewing: boolean
  readonly remember: boolean | undefined
  readonly closed: boolean
  readonly cookie: Cookie
  readonly results: ReadonlyArray<Expected>
}

type Runs = ReadonlyArray<Run>

export const outcomes = (before: World, sent: Sent, now: number): ReadonlyArray<Outcome> => {
  const { entry, script } = sent
  const request = new Request(sent, now)
  const head = entry.results.slice(0, script.steps.length)
  let runs = withLate(before, now).flatMap((world) => request.start(world))
  head.forEach((_, at) => runs = runs.flatMap((run) => request.step(run, script.steps[at])))
  const isInHead = head.length < script.steps.length
  if (isInHead && entry.unfinished) runs = runs.flatMap((run) => request.unfinished(run, script.steps[head.length]))
  runs = runs.flatMap((run) => request.finish(run, entry.statuses[0] ?? 499))
  if (!isInHead && script.stream !== undefined) {
    const { stream } = script
    const body = entry.results.slice(head.length)
    body.forEach((_, at) => runs = runs.flatMap((run) => request.step(run, stream[at])))
    if (entry.unfinished) runs = runs.flatMap((run) => request.unfinished(run, stream[body.length]))
  }
  return runs.map(({ cookie, results, world }) => ({ cookie, results, world }))
}

/** Each late write has taken place by now, or has not; one whose time is over never will. */
const withLate = (world: World, now: number): ReadonlyArray<World> => {
  const late = world.late.filter(({ until }) => until >= now)
  return late.reduce<ReadonlyArray<World>>(
    (worlds, each) =>
      worlds.flatMap((other) => [
        other,
        ...each.apply({ ...other, late: other.late.filter((kept) => kept !== each) })
      ]),
    [{ ...world, late }]
  )
}

const begun = (world: World): Run => ({
  world,
  replaced: false,
  state: { _tag: "Unloaded" },
  cleared: false,
  draft: new Map(),
  renewing: false,
  remember: undefined,
  closed: false,
  cookie: { _tag: "None" },
  results: []
})

class Request {
  constructor(private readonly sent: Sent, private readonly now: number) {}

  private get isServer(): boolean {
    return this.sent.kind === "server"
  }

  /** A store knows of an old token that it was renewed away, and after a while knows nothing of it any more. */
  start(world: World): Runs {
    const { token } = this.sent
    const serial = token === undefined ? undefined : world.tokens.get(token)
    const run = begun(world)
    const successor = this.isServer && serial !== undefined ? world.renewed.get(serial) : undefined
    if (successor === undefined) return [run]
    const age = this.now - successor.at
    return [
      ...(age > knownMillis ? [run] : []),
      ...(age < forgottenMillis ? [{ ...run, replaced: true }] : [])
    ]
  }

  // ── steps ──

  step(run: Run, step: Step): Runs {
    switch (step.op) {
      case "read":
        return this.read(this.load(run))
      case "insert":
        return this.change(
          this.isServer && !run.closed ? run : this.load(run),
          (found) => edit(found, step.key, step.value)
        )
      case "remove":
        return this.remove(this.load(run), step.key)
      case "clear":
        return this.clear(run)
      case "modify":
        return this.modify(run)
      case "renew":
        return this.renew(this.load(run))
      case "remember":
        return [said({ ...this.load(run), remember: step.persistent })]
      case "signIn":
        return this.signIn(this.load(run), step.subject)
      case "signOut":
        return this.signOut(run)
      case "list":
        return this.list(this.load(run), step.subject)
      case "revoke":
        return this.revoke(run, step.subject, step.id)
      case "revokeOthers":
        return this.revokeOthers(this.load(run), step.subject)
      case "commit":
        return this.save(run, undefined).map((saved) => said(saved))
      case "sleep":
      case "burn":
        return [said(run)]
    }
  }

  /**
   * A step that had begun when the request was interrupted. Changes that are not saved yet went with it; what saves at once
   * may have been saved. A write that is waited for to its end has been made or not; another may come later.
   */
  unfinished(run: Run, step: Step): Runs {
    const without = { ...run, results: run.results }
    const made = (): Runs => this.step(run, step).map((after) => ({ ...after, results: run.results }))
    switch (step.op) {
      case "commit":
      case "signIn":
      case "signOut":
        return [without, ...made()]
      case "insert":
        return run.closed ? [without, ...made()] : [without]
      case "modify":
      case "revoke":
      case "revokeOthers": {
        const apply: Late["apply"] = (world) => this.step({ ...run, world }, step).map((after) => after.world)
        const late: Late = { until: this.now + lateMillis, apply }
        return [without, ...made(), { ...without, world: { ...run.world, late: [...run.world.late, late] } }]
      }
      default:
        return [without]
    }
  }

  private read(run: Run): Runs {
    const { state } = run
    const session = state._tag === "Found" ? state.session : undefined
    return [said(run, {
      values: visible(run),
      subject: session?.subject ?? null,
      session: session?.serial
    })]
  }

  private remove(run: Run, key: string): Runs {
    const value = visible(run)[key]
    if (value === undefined) return [said(run)]
    return this.change(run, (found) => edit(found, key, undefined), { value })
  }

  private clear(run: Run): Runs {
    const { state } = run
    if (state._tag === "Absent" || state._tag === "Ended") return [said({ ...run, cleared: false, draft: new Map() })]
    return [said({ ...run, cleared: true, draft: new Map() })]
  }

  private modify(run: Run): Runs {
    if (this.isServer) {
      if (run.state._tag === "Ended") return [said(run, failed("SessionEnded"))]
      if (!run.draft.has("count") && !run.cleared) {
        const known = run.state._tag === "Found" ? run.state.session.serial : this.named(run)
        const session = known === undefined ? undefined : run.world.sessions.get(known)
        if (session?.alive === true) {
          const count = Number(session.data.count ?? 0) + 1
          const next = { ...session, data: { ...session.data, count } }
          const after: Run = { ...run, world: put(run.world, next), state: { _tag: "Found", session: next } }
          return [said(after, { value: count })]
        }
        if (run.state._tag === "Found" || run.replaced) return [said(ended(run), failed("SessionEnded"))]
      }
    }
    return this.modifyLocally(this.load(run))
  }

  private modifyLocally(run: Run): Runs {
    const count = Number(visible(run).count ?? 0) + 1
    return this.change(run, (found) => edit(found, "count", count), { value: count })
  }

  private renew(run: Run): Runs {
    return [said({ ...run, renewing: run.renewing || run.state._tag === "Found" })]
  }

  private signIn(run: Run, subject: string): Runs {
    const anew = (ended: Run): Runs =>
      this.save({ ...ended, state: { _tag: "Absent" }, cookie: { _tag: "None" } }, subject)
    const isOver = run.state._tag === "Ended"
      || (run.state._tag === "Found" && run.world.sessions.get(run.state.session.serial)?.alive !== true)
    const saved = isOver ? anew({ ...run, renewing: false, remember: undefined }) : this.save(run, subject)
    return saved.map((after) => said(after))
  }

  private signOut(run: Run): Runs {
    const { token } = this.sent
    const given = token === undefined ? undefined : run.world.tokens.get(token)
    const gone: Run = {
      ...discarded(run),
      replaced: false,
      state: { _tag: "Absent" },
      cookie: token === undefined ? { _tag: "None" } : { _tag: "Remove" }
    }
    if (!this.isServer) return [said(gone)]
    const named = [
      run.state._tag === "Found" ? run.state.session.serial : undefined,
      given,
      run.replaced && given !== undefined ? successorOf(run.world, given) : undefined
    ]
    const world = named.reduce((world, serial) => serial === undefined ? world : end(world, serial), run.world)
    return [said({ ...gone, world })]
  }

  private list(run: Run, subject: string): Runs {
    const current = run.state._tag === "Found" ? run.state.session : undefined
    const sessions = living(run.world, subject).map(({ serial }) => serial)
    const isListed = current !== undefined && sessions.includes(current.serial)
    return [said(run, { sessions, current: isListed ? current.serial : undefined })]
  }

  /** A session whose sign-in was interrupted may have been listed without being told apart from another such session. */
  private revoke(run: Run, subject: string, id: string): Runs {
    const sessions = living(run.world, subject)
    const named = sessions.find((each) => each.id === id)
    const unnamed = [...run.world.sessions.values()].some((each) => each.id === id)
      ? []
      : sessions.filter((each) => each.id === null)
    const revoked = named === undefined ? unnamed : [named]
    return [
      ...(named === undefined ? [said(run, { value: false })] : []),
      ...revoked.map((session) =>
        said({ ...run, world: end(put(run.world, { ...session, id }), session.serial) }, { value: true })
      )
    ]
  }

  private revokeOthers(run: Run, subject: string): Runs {
    const { state } = run
    const current = state._tag === "Found" ? state.session.serial : undefined
    const others = living(run.world, subject).filter(({ serial }) => serial !== current)
    const world = others.reduce((world, { serial }) => end(world, serial), run.world)
    return [said({ ...run, world }, { value: others.length })]
  }

  // ── the session of the request ──

  /** The session that the request's token was given for, alive or not. */
  private named(run: Run): number | undefined {
    const { token } = this.sent
    return run.state._tag !== "Unloaded" || token === undefined ? undefined : run.world.tokens.get(token)
  }

  private load(run: Run): Run {
    if (run.state._tag !== "Unloaded") return run
    const serial = this.named(run)
    const session = serial === undefined ? undefined : run.world.sessions.get(serial)
    if (session?.alive === true) return { ...run, state: { _tag: "Found", session } }
    return { ...run, state: { _tag: run.replaced ? "Ended" : "Absent" } }
  }

  /** Before the head a change waits for the commit; after it, it is saved at once where that needs no cookie (row C11). */
  private change(run: Run, apply: (run: Run) => Run, result: Expected = done): Runs {
    if (!run.closed) return [said(apply(run), result)]
    if (run.state._tag === "Ended") return [said(run, result)]
    if (!this.isServer || run.state._tag !== "Found") return [said(run, failed("SessionClosed"))]
    return this.save(apply(run), undefined).map((saved) => said(saved, result))
  }

  // ── saving ──

  /** What is left of a request is committed below 500, and dropped otherwise (row M4). */
  finish(run: Run, status: number): Runs {
    const saved = status < 500 && status !== 499 ? this.save(run, undefined) : [run]
    return saved.map((each) => ({ ...discarded(each), closed: true }))
  }

  private save(run: Run, subject: string | undefined): Runs {
    const needsLoad = !this.isServer || run.renewing || run.remember !== undefined || this.sent.token === undefined
    const ready = run.state._tag === "Unloaded" && needsLoad ? this.load(run) : run
    const saved = this.saveReady(ready, subject)
    return saved.map((each) => discarded(each))
  }

  private saveReady(run: Run, subject: string | undefined): Runs {
    const { state } = run
    switch (state._tag) {
      case "Ended":
        return [run]
      case "Absent":
        return [this.create(run, subject)]
      case "Unloaded": {
        if (!run.cleared && run.draft.size === 0) return [run]
        const serial = this.named(run)
        const session = serial === undefined ? undefined : run.world.sessions.get(serial)
        if (session?.alive === true) return [this.update(run, session)]
        return [run.replaced ? ended(run) : this.create({ ...run, state: { _tag: "Absent" } }, undefined)]
      }
      case "Found":
        return [this.saveFound(run, state.session, subject)]
    }
  }

  private create(run: Run, subject: string | undefined): Run {
    const data = applied({}, run)
    if (Object.keys(data).length === 0 && subject === undefined) return run
    const [world, session] = add(run.world, {
      alive: true,
      data,
      subject: subject ?? null,
      persistent: run.remember ?? false,
      id: null
    })
    return set({ ...run, world }, session)
  }

  private update(run: Run, session: Session): Run {
    const next = { ...session, data: applied(session.data, run) }
    return { ...run, world: put(run.world, next), state: { _tag: "Found", session: next } }
  }

  private saveFound(run: Run, loaded: Session, subject: string | undefined): Run {
    const changes = !same(applied(loaded.data, run), loaded.data)
    if (!changes && !run.renewing && run.remember === undefined && subject === undefined) return run
    const persistent = run.remember ?? loaded.persistent
    if (!this.isServer) {
      // Every change is another seal; the older ones still open.
      const [world, sealed] = add(run.world, {
        ...loaded,
        data: applied(loaded.data, run),
        persistent,
        id: run.renewing ? null : loaded.id
      })
      return set({ ...run, world }, sealed)
    }
    const session = run.world.sessions.get(loaded.serial)!
    if (!session.alive) return ended(run)
    if (run.renewing || subject !== undefined) {
      const isHandedOver = subject !== undefined && session.subject !== null && session.subject !== subject
      const [world, successor] = add(end(run.world, session.serial), {
        alive: true,
        data: applied(isHandedOver ? {} : session.data, run),
        subject: subject ?? session.subject,
        persistent: isHandedOver ? run.remember ?? false : persistent,
        id: null
      })
      const renewed = new Map(world.renewed).set(session.serial, { serial: successor.serial, at: this.now })
      return set({ ...run, world: { ...world, renewed } }, successor)
    }
    const updated = this.update(run, session)
    if (run.remember === undefined || (!persistent && !session.persistent)) return updated
    const next = { ...session, data: applied(session.data, run), persistent }
    return {
      ...updated,
      world: put(run.world, next),
      state: { _tag: "Found", session: next },
      cookie: run.cookie._tag === "Set" && run.cookie.serial === next.serial
        ? run.cookie
        : { _tag: "Set", serial: next.serial, same: this.sent.token }
    }
  }
}

const successorOf = (world: World, serial: number): number | undefined => {
  const next = world.renewed.get(serial)?.serial
  return next === undefined ? undefined : successorOf(world, next) ?? next
}

const said = (run: Run, result: Expected = done): Run => ({ ...run, results: [...run.results, result] })

const edit = (run: Run, key: string, value: Value | undefined): Run => ({
  ...run,
  draft: new Map(run.draft).set(key, value)
})

const discarded = (run: Run): Run => ({
  ...run,
  cleared: false,
  draft: new Map(),
  renewing: false,
  remember: undefined
})

const ended = (run: Run): Run => ({ ...discarded(run), state: { _tag: "Ended" }, cookie: { _tag: "None" } })

const set = (run: Run, session: Session): Run => ({
  ...run,
  state: { _tag: "Found", session },
  cookie: { _tag: "Set", serial: session.serial, same: undefined }
})

const applied = (data: Data, { cleared, draft }: Run): Data => {
  const next: Record<string, Value> = cleared ? {} : { ...data }
  for (const [key, value] of draft) {
    if (value === undefined) delete next[key]
    else next[key] = value
  }
  return next
}

const visible = (run: Run): Data => applied(run.state._tag === "Found" ? run.state.session.data : {}, run)

export const same = (a: Data, b: Data): boolean => {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
