/**
 * A complete adapter that uses a `Map` of texts in place of a database. docs/adapter.md shows this file, and the contract
 * suite runs over it.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SessionBackend, SessionError } from "effect-session"

/** The database: a text for each key. Put the client of your database here. */
export class Rows extends Context.Tag("example/Rows")<Rows, Map<string, string>>() {}

// ── a record as text ──

const format = 1

const Row = Schema.parseJson(Schema.Struct({
  format: Schema.Literal(format),
  version: Schema.Int,
  createdAt: Schema.Number,
  refreshedAt: Schema.Number,
  expiresAt: Schema.Number,
  idleMillis: Schema.Number,
  persistent: Schema.Boolean,
  own: Schema.Boolean,
  owner: Schema.UndefinedOr(Schema.Struct({
    subject: Schema.String,
    authenticatedAt: Schema.Number,
    userAgent: Schema.UndefinedOr(Schema.String),
    address: Schema.UndefinedOr(Schema.String)
  })),
  // Pairs instead of an object, because any text can be a key, even `__proto__`. Only the library reads the values.
  data: Schema.Array(Schema.Tuple(Schema.String, Schema.String))
}))

const encode = (session: SessionBackend.StoredSession): string =>
  Schema.encodeSync(Row)({ ...session, format, data: [...session.data] })

const decodeRow = Schema.decodeOption(Row)
const decodeFormat = Schema.decodeOption(Schema.parseJson(Schema.Struct({ format: Schema.Number })))

/** Reports a row that this version cannot read. The report must not quote the row, because the row holds values. */
const decode = (text: string): SessionBackend.StoredSession | SessionBackend.Corrupt =>
  Option.match(decodeRow(text), {
    onSome: ({ data, owner, ...rest }) => ({ ...rest, owner, data: new Map(data) }),
    onNone: () => {
      const newerFormat = Option.exists(decodeFormat(text), (row) => row.format > format)
      return { _tag: "Corrupt", newerFormat, detail: newerFormat ? "a later format" : "the row does not decode" }
    }
  })

const isLive = (
  found: SessionBackend.StoredSession | SessionBackend.Corrupt | undefined
): found is SessionBackend.StoredSession => found !== undefined && !("_tag" in found)

const bytesOf = (data: SessionBackend.Data): number => {
  let sum = 0
  for (const [key, text] of data) sum += Buffer.byteLength(key) + Buffer.byteLength(text)
  return sum
}

// ── the adapter ──

const make = (rows: Map<string, string>) => {
  /** Turns what the database throws into a `SessionStoreError`, which the library logs and counts once. */
  const attempt = <A>(operation: SessionError.SessionStoreError["operation"], f: () => A) =>
    Effect.try({
      try: f,
      catch: (cause) => SessionError.SessionStoreError.of(operation, "Unavailable", cause)
    })

  /** Returns nothing for an expired row, even if it is still there: the stored time and the given time decide. */
  const read = (id: string, now: number) => {
    const text = rows.get(id)
    const found = text === undefined ? undefined : decode(text)
    return isLive(found) && found.expiresAt <= now ? undefined : found
  }

  /** The ids of each subject. They only say where to look; the rows decide which sessions exist. */
  const bySubject = new Map<string, Set<string>>()

  const put = (id: string, session: SessionBackend.NewSession) => {
    rows.set(id, encode({ ...session, version: 1 }))
    if (session.owner === undefined) return
    const { subject } = session.owner
    const ids = bySubject.get(subject) ?? new Set()
    bySubject.set(subject, ids.add(id))
  }

  const listed = (subject: string, now: number) => {
    const entries: Array<{ readonly id: string; readonly session: SessionBackend.ListedSession }> = []
    for (const id of bySubject.get(subject) ?? []) {
      const found = read(id, now)
      if (!isLive(found) || found.owner?.subject !== subject) continue
      // There may be thousands of sessions: with a database, do not select their data at all.
      const { data: _data, ...session } = found
      entries.push({ id, session })
    }
    return entries.sort((a, b) => a.session.createdAt - b.session.createdAt)
  }

  // Each function is a single step that nothing can interrupt, because a `Map` is synchronous. With a database, make it one
  // statement, one script, one transaction, or a loop on the version: read, decide, write if the record still has the
  // version that was read, and otherwise start again.
  const backend: SessionBackend.SessionBackendService = {
    find: (id, now) => attempt("find", () => Option.fromNullable(read(id, now))),

    insert: (id, session, now) =>
      attempt("insert", () => {
        if (read(id, now) !== undefined) return false
        put(id, session)
        return true
      }),

    update: (id, patch, now, ifVersion) =>
      attempt("update", (): SessionBackend.Updated => {
        const session = read(id, now)
        if (!isLive(session)) return { _tag: "Missing" }
        if (ifVersion !== undefined && ifVersion !== session.version) return { _tag: "Conflict" }
        const data = new Map(patch.clear ? [] : session.data)
        for (const key of patch.remove) data.delete(key)
        for (const [key, text] of patch.set) data.set(key, text)
        const size = bytesOf(data)
        if (size > patch.maxBytes && size > bytesOf(session.data)) return { _tag: "TooLarge", size }
        const { createdAt, expiresAt, idleMillis, own, persistent, refreshedAt } = patch.expiry ?? session
        const expiry = { createdAt, refreshedAt, expiresAt, idleMillis, persistent, own }
        const version = session.version + 1
        rows.set(id, encode({ ...session, ...expiry, data, version }))
        return { _tag: "Updated", version, expiry }
      }),

    remove: (id, ifVersion, now) =>
      attempt("remove", () => {
        const session = read(id, now)
        if (session === undefined) return "missing"
        if (ifVersion !== undefined && isLive(session) && ifVersion !== session.version) return "conflict"
        rows.delete(id)
        return "removed"
      }),

    removeExpired: (now, limit) =>
      attempt("removeExpired", () => {
        let removed = 0
        for (const [id, text] of rows) {
          if (removed === limit) break
          const session = decode(text)
          if (isLive(session) && session.expiresAt <= now && rows.delete(id)) removed++
        }
        return removed
      })
  }

  const index: SessionBackend.SubjectIndexService = {
    insert: (id, session, now, bound, evicted) =>
      attempt("insert", () => {
        if (read(id, now) !== undefined) return "Taken"
        const others = listed(session.owner.subject, now)
        const surplus = bound === undefined ? 0 : others.length + 1 - bound.max
        if (surplus > 0 && bound?.whenFull === "refuse") return "Full"
        for (let i = 0; i < surplus; i++) rows.delete(others[i].id)
        put(id, session)
        for (let i = 0; i < surplus; i++) evicted?.(others[i].id)
        return "Inserted"
      }),

    list: (subject, now) =>
      attempt("list", () => {
        // Forget an id only when its row is gone. A row that has expired by this clock may be alive by another.
        const ids = bySubject.get(subject)
        for (const id of ids ?? []) if (!rows.has(id)) ids?.delete(id)
        return listed(subject, now)
      }),

    forget: (subject, id) => attempt("remove", () => void bySubject.get(subject)?.delete(id))
  }

  return Context.make(SessionBackend.SessionBackend, backend).pipe(Context.add(SessionBackend.SubjectIndex, index))
}

export const layer: Layer.Layer<SessionBackend.SessionBackend | SessionBackend.SubjectIndex, never, Rows> = Layer
  .effectContext(Effect.map(Rows, make))
