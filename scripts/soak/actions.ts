/**
 * What a person may do next: one request or two at once, each a script for the handler.
 */
import type { Random } from "./random.js"
import type { Script, Step } from "./script.js"

/** `abortAfter`: the client gives up after so many milliseconds. `old`: with a token that the browser had before. */
export interface Sending {
  readonly script: Script
  readonly abortAfter: number | undefined
  readonly old: boolean
}

export interface Action {
  readonly name: string
  readonly sendings: ReadonlyArray<Sending>
}

/** What an action may refer to. `ids` are those of the last list of the person's sessions. */
export interface Facts {
  readonly kind: "client" | "server"
  readonly subject: string
  readonly ids: ReadonlyArray<string>
}

export const read: Step = { op: "read" }

const once = (steps: ReadonlyArray<Step>, more: Partial<Script> = {}): ReadonlyArray<Sending> => [
  { script: { steps, stream: undefined, status: 200, ...more }, abortAfter: undefined, old: false }
]

const keys = ["a", "b", "c", "d", "e"]

export class Actions {
  private serial = 0

  constructor(private readonly random: Random) {}

  next(facts: Facts): Action {
    const all = facts.kind === "server" ? [...everywhere, ...onServers] : everywhere
    let at = this.random.next() * all.reduce((sum, [, weight]) => sum + weight, 0)
    const [name] = all.find(([, weight]) => (at -= weight) < 0) ?? all[0]
    return { name, sendings: this.sendings(name, facts) }
  }

  /** A value that is in no other place: where it turns up, it was written by one request. */
  private insert(key = this.random.pick(keys)): Step {
    return { op: "insert", key, value: `${key}${++this.serial}` }
  }

  private signIn(subject: string, kind: Facts["kind"]): ReadonlyArray<Step> {
    return kind === "server"
      ? [{ op: "signIn", subject }]
      : [{ op: "insert", key: "user", value: subject }, { op: "renew" }]
  }

  /** One change of the session, of any kind. */
  private change({ kind, subject }: Facts): ReadonlyArray<Step> {
    const { random } = this
    switch (random.between(0, 9)) {
      case 0:
      case 1:
      case 2:
        return [this.insert()]
      case 3:
      case 4:
        return [{ op: "modify" }]
      case 5:
        return [{ op: "remove", key: random.pick(keys) }]
      case 6:
        return [{ op: "renew" }]
      case 7:
        return random.chance(0.5) ? [{ op: "clear" }] : [this.insert(), { op: "commit" }]
      case 8:
        return this.signIn(subject, kind)
      default:
        return random.chance(0.5) ? [{ op: "signOut" }] : [{ op: "remember", persistent: random.chance(0.5) }]
    }
  }

  private pause(): Step {
    return this.random.chance(0.5)
      ? { op: "sleep", millis: this.random.between(1, 100) }
      : { op: "burn", millis: this.random.between(1, 40) }
  }

  private sendings(name: Name, facts: Facts): ReadonlyArray<Sending> {
    const { random } = this
    const { kind, subject } = facts
    switch (name) {
      case "browse":
        return once([read])
      case "write":
        return once([
          ...(random.chance(0.5) ? [read] : []),
          this.insert(),
          ...(random.chance(0.3) ? [this.insert()] : [])
        ])
      case "remove":
        return once([{ op: "remove", key: random.pick(keys) }])
      case "clear":
        return once([{ op: "clear" }, ...(random.chance(0.5) ? [this.insert()] : [])])
      case "modify":
        return once([{ op: "modify" }])
      case "renew":
        return once([{ op: "renew" }, ...(random.chance(0.3) ? [this.insert()] : [])])
      case "sign in":
        return once(this.signIn(subject, kind))
      case "sign out":
        return once([{ op: "signOut" }, ...(random.chance(0.2) ? [this.insert()] : [])])
      case "remember":
        return once([{ op: "remember", persistent: random.chance(0.6) }])
      case "refuse":
        return once([...this.change(facts), ...this.change(facts)], { status: random.pick([400, 404, 409]) })
      case "fail":
        return once([...this.change(facts), ...this.change(facts)], { status: random.pick([500, 502, 503]) })
      case "abort": {
        const steps = [
          ...this.change(facts),
          this.pause(),
          ...this.change(facts),
          ...(random.chance(0.5) ? [this.pause()] : [])
        ]
        return once(steps).map((sending) => ({ ...sending, abortAfter: random.between(1, 120) }))
      }
      case "stream": {
        const stream = [this.insert(), this.pause(), { op: "modify" } as const, this.pause(), read, this.insert()]
        const steps = random.chance(0.5) ? [this.insert(), { op: "commit" } as const] : []
        return once(steps, { stream }).map((sending) => ({
          ...sending,
          abortAfter: random.chance(0.5) ? random.between(1, 200) : undefined
        }))
      }
      case "parallel":
        return [
          ...once([this.insert("a"), this.pause()]),
          ...once(random.chance(0.5) ? [this.insert("b")] : [{ op: "modify" }])
        ]
      case "race":
        return [...once(this.single()), ...once(this.single())]
      case "old token":
        return once(random.chance(0.5) ? [read] : this.change(facts)).map((sending) => ({ ...sending, old: true }))
      case "list":
        return once([{ op: "list", subject }])
      case "revoke":
        return once([{ op: "revoke", subject, id: facts.ids.length === 0 ? "none" : random.pick(facts.ids) }])
      case "revoke others":
        return once([{ op: "revokeOthers", subject }])
    }
  }

  /** A request that takes effect in one moment, so that two at once are one after the other in either order. */
  private single(): ReadonlyArray<Step> {
    switch (this.random.between(0, 4)) {
      case 0:
        return [this.insert()]
      case 1:
        return [{ op: "renew" }]
      case 2:
        return [{ op: "signOut" }]
      default:
        return [{ op: "modify" }]
    }
  }
}

const everywhere = [
  ["browse", 20],
  ["write", 14],
  ["remove", 4],
  ["clear", 2],
  ["modify", 10],
  ["renew", 5],
  ["sign in", 6],
  ["sign out", 3],
  ["remember", 3],
  ["refuse", 3],
  ["fail", 3],
  ["abort", 12],
  ["stream", 5],
  ["parallel", 4],
  ["race", 3],
  ["old token", 3]
] as const

const onServers = [["list", 4], ["revoke", 2], ["revoke others", 1]] as const

type Name = typeof everywhere[number][0] | typeof onServers[number][0]
