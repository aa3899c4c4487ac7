/**
 * The contract, broken on purpose: one small mistake in the code for each promise of a row, which a test of that row must
 * notice. `npm run mutants` makes them, one at a time; test/mutants.test.ts checks that the list fits the code and has every
 * row of docs/contract.md.
 */

/**
 * - `row`: the row of docs/contract.md whose tests must fail.
 * - `what`: what is broken, as a user of the library would put it.
 * - `find`: source text that is in the file exactly once.
 * - `kind`: `"types"` where it is the type tests that notice.
 * - `tests`: the file of tests to run, where the usual choice (scripts/mutants.ts) leaves it out as too slow.
 */
export interface Mutant {
  readonly row: string
  readonly what: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly kind?: "types"
  readonly tests?: string
}

export const mutants: ReadonlyArray<Mutant> = [
  {
    row: "R1",
    what: "the first 256 characters are kept, not 255",
    file: "src/internal/http/requestId.ts",
    find: "slice(0, 255)",
    replace: "slice(0, 256)"
  },
  {
    row: "R1",
    what: "dots stay in the id",
    file: "src/internal/http/requestId.ts",
    find: "[^A-Za-z0-9_@-]",
    replace: "[^A-Za-z0-9_@.-]"
  },
  {
    row: "R1",
    what: "a header with nothing left in it is an empty id",
    file: "src/internal/http/requestId.ts",
    find: "return kept === \"\" ?",
    replace: "return inbound === undefined ?"
  },
  {
    row: "R2",
    what: "the span has the id under another name",
    file: "src/internal/http/requestId.ts",
    find: "span.attribute(\"request_id\", id)",
    replace: "span.attribute(\"requestId\", id)"
  },
  {
    row: "R2",
    what: "log lines have the id under another name",
    file: "src/internal/http/requestId.ts",
    find: "RequestFiber.annotation(fiber, \"request_id\", id)",
    replace: "RequestFiber.annotation(fiber, \"requestId\", id)"
  },
  {
    row: "R3",
    what: "an id that the handler set stays",
    file: "src/internal/http/requestId.ts",
    find: "return WebResponse.withHead(response, this.head)",
    replace: "return this.header in response.headers ? response : WebResponse.withHead(response, this.head)"
  },
  {
    row: "R3",
    what: "a Response of fetch is sent without the id",
    file: "src/internal/http/webResponse.ts",
    find: "const response = lift(original)",
    replace: "const response = original"
  },
  {
    row: "R4",
    what: "the client's header counts although it is not trusted",
    file: "src/internal/http/requestId.ts",
    find: "trustInbound ? request.headers[header] : undefined",
    replace: "request.headers[header]"
  },
  {
    row: "R4",
    what: "the layer does not pass the option on",
    file: "src/RequestId.ts",
    find: "ensureId(resolve(options), RequestFiber.share)",
    replace: "ensureId(resolve({}), RequestFiber.share)"
  },
  {
    row: "R5",
    what: "without an id the app runs",
    file: "src/internal/http/requestContext.ts",
    find: "if (serviceIn(fiber.currentContext, Id.RequestId) === undefined) return missingRequestId\n",
    replace: ""
  },
  {
    row: "R5",
    what: "the debug span has another name",
    file: "src/internal/http/requestContext.ts",
    find: "\"RequestContextService::call\"",
    replace: "\"RequestContext::call\""
  },
  {
    row: "R5",
    what: "without an id the answer is an empty one and no 500",
    file: "src/internal/http/requestContext.ts",
    find: "Effect.suspend(() => Effect.die(new MissingRequestId()))",
    replace: "Effect.interrupt"
  },
  {
    row: "R5",
    what: "the middleware of HttpApp compiles without RequestId",
    file: "src/RequestContext.ts",
    find: "HttpApp.Default<E, Exclude<R, RequestContext> | RequestId | SessionStore>",
    replace: "HttpApp.Default<E, Exclude<R, RequestContext> | SessionStore>",
    kind: "types"
  },
  {
    row: "R5",
    what: "the middleware of single routes compiles without RequestId",
    file: "src/RequestContext.ts",
    find: "  requires: RequestId\n",
    replace: "  requires: never\n",
    kind: "types"
  },
  {
    row: "R6",
    what: "the response has the id in x-request-id, whatever the options say",
    file: "src/internal/http/requestId.ts",
    find: "return { [this.header]: this.id }",
    replace: "return { [defaultHeader]: this.id }"
  },
  {
    row: "R6",
    what: "the 503 loses an id that is in another header",
    file: "src/internal/http/respond.ts",
    find: "unavailable(response, RequestId.headerOf(fiber))",
    replace: "unavailable(response, \"x-request-id\")"
  },
  {
    row: "R6",
    what: "the token of the session's cookie may be the id",
    file: "src/internal/http/requestId.ts",
    find: " || secretHeaders.includes(header)",
    replace: ""
  },
  {
    row: "R7",
    what: "what the generator returns is not sanitised",
    file: "src/internal/http/requestId.ts",
    find: "sanitised(generate()) || randomUUID()",
    replace: "generate() || randomUUID()"
  },
  {
    row: "R7",
    what: "a generator may leave a request without an id",
    file: "src/internal/http/requestId.ts",
    find: "sanitised(generate()) || randomUUID()",
    replace: "sanitised(generate())"
  },
  {
    row: "R8",
    what: "the id goes out in x-request-id, whatever the middleware's header",
    file: "src/internal/http/requestId.ts",
    find: "header ?? begun?.header ?? defaultHeader",
    replace: "header ?? defaultHeader"
  },
  {
    row: "R8",
    what: "an id that a request has already is replaced",
    file: "src/internal/http/requestId.ts",
    find: "return id === undefined || outgoing.headers[name] !== undefined",
    replace: "return id === undefined"
  },
  {
    row: "R8",
    what: "the id is that of the moment when the client was made",
    file: "src/RequestId.ts",
    find: "(request) => Effect.withFiberRuntime((fiber) => Effect.succeed(withId(fiber, request, header)))",
    replace: "(request) => Effect.succeed(request)"
  },
  {
    row: "C1",
    what: "Infinity is taken, and written as null",
    file: "src/internal/codec/json.ts",
    find: "Number.isFinite(value) ? false",
    replace: "!Number.isNaN(value) ? false"
  },
  {
    row: "C1",
    what: "class instances pass for plain objects",
    file: "src/internal/codec/json.ts",
    find: "prototype !== null && prototype !== Object.prototype",
    replace: "prototype === Date.prototype"
  },
  {
    row: "C1",
    what: "what writes itself (toJSON) is asked to",
    file: "src/internal/codec/json.ts",
    find: ".toJSON === \"function\"",
    replace: ".toJSON === \"string\""
  },
  {
    row: "C1",
    what: "a value that was read once is given out again, as it was changed since",
    file: "src/SessionKey.ts",
    find: "(value) => Effect.succeed({ present: true, value, migrated })",
    replace: "(value) => Effect.succeed((Object.assign(this, { memo: {}, ...this }).memo[text] ??= { present:"
      + " true, value, migrated }))"
  },
  {
    row: "C2",
    what: "an error's JSON has the stored value",
    file: "src/SessionError.ts",
    find: "{ value, enumerable: false }",
    replace: "{ value, enumerable: true }"
  },
  {
    row: "C2",
    what: "an error's path is the issue's text, which prints the value",
    file: "src/internal/edition/schema.ts",
    find: "[0]?.path.map(String).join(\".\") ?? \"\"",
    replace: "[0]?.message ?? \"\""
  },
  {
    row: "C2",
    what: "a schema that throws is a defect",
    file: "src/SessionKey.ts",
    find: "return Effect.fail(this.thrown(direction, defect))",
    replace: "return Effect.die(defect)"
  },
  {
    row: "C2",
    what: "null is no value",
    file: "src/internal/request/requestSession.ts",
    find: "const got = key.fromStored(Option.some(read.value))",
    replace: "const got = key.fromStored(Option.fromNullable(read.value) as never)"
  },
  {
    row: "C3",
    what: "a value that does not decode is not removed",
    file: "src/internal/request/requestSession.ts",
    find: "return andThen(change(this, now, () => removeText(this, key.name)), () => read(key, text))",
    replace:
      "return andThen(read(key, text), (value) =>\n          map(change(this, now, () => removeText(this, key.name)), () => value))"
  },
  {
    row: "C3",
    what: "remove leaves what is stored",
    file: "src/internal/request/draft.ts",
    find: "    this.changes.remove(name)\n",
    replace: "    this.changes.keep(name)\n"
  },
  {
    row: "C4",
    what: "what was inserted before a clear survives it",
    file: "src/internal/request/changes.ts",
    find: "    this.entries = none\n",
    replace: ""
  },
  {
    row: "C4",
    what: "a patch that clears leaves the stored keys",
    file: "src/internal/codec/packedData.ts",
    find: "if (!patch.clear) data.forEach(",
    replace: "data.forEach("
  },
  {
    row: "C5",
    what: "the removal cookie is not Partitioned as the cookie was",
    file: "src/internal/http/setCookie.ts",
    find: "removal: make(\"\", { ...attributes,",
    replace: "removal: make(\"\", { ...attributes, partitioned: false,"
  },
  {
    row: "C5",
    what: "the removal cookie has no attributes but the path",
    file: "src/internal/http/setCookie.ts",
    find: "removal: make(\"\", { ...attributes,",
    replace: "removal: make(\"\", { path: config.path,"
  },
  {
    row: "C5",
    what: "a flush leaves the record to expire",
    file: "src/internal/server/records.ts",
    find: "andThen(endChain(id, owner, now, 0), (ended) => andThen(forget(id, owner), () => Effect.succeed(ended)))",
    replace: "andThen(forget(id, owner), () => Effect.succeed(undefined))"
  },
  {
    row: "C5",
    what: "the browser keeps the cookie of a session that was flushed",
    file: "src/internal/request/answer.ts",
    find: "this.cookie = hadCookie ? removeCookie : noCookie",
    replace: "this.cookie = noCookie"
  },
  {
    row: "C5",
    what: "what is inserted after a flush is written to the session that ended",
    file: "src/internal/request/stored.ts",
    find: "  flushed(): void {\n    this.current = absent",
    replace: "  flushed(): void {\n    if (this.current._tag === \"Absent\") this.current = absent"
  },
  {
    row: "C6",
    what: "a clear is no change",
    file: "src/internal/request/changes.ts",
    find: "!content.clear && content.set.size === 0",
    replace: "content.set.size === 0"
  },
  {
    row: "C6",
    what: "removing the last key is no change",
    file: "src/internal/request/changes.ts",
    find: "content.set.size === 0 && content.remove.size === 0",
    replace: "content.set.size === 0"
  },
  {
    row: "C7",
    what: "a get after a clear sees what was stored",
    file: "src/internal/request/changes.ts",
    find: "entry === undefined && this.cleared ? null : entry",
    replace: "entry"
  },
  {
    row: "C7",
    what: "changes on top of a save under way forget its clear",
    file: "src/internal/request/changes.ts",
    find: "if (later.cleared) this.clear()\n",
    replace: ""
  },
  {
    row: "C7",
    what: "each fiber of a request loads for itself",
    file: "src/internal/request/stored.ts",
    find: "    if (state.loading !== undefined) return state.loading\n",
    replace: ""
  },
  {
    row: "C7",
    what: "a failed load is remembered",
    file: "src/internal/request/stored.ts",
    find: "          state.loading = undefined\n",
    replace: "          if (Exit.isSuccess(Exit.flatten(exit))) state.loading = undefined\n"
  },
  {
    row: "C7",
    what: "the commit does not wait for operations that are running",
    file: "src/internal/request/requestSession.ts",
    find: "if (this.inFlight.isQuiet) return this.commitLast(committing, now)",
    replace: "return this.commitLast(committing, now)"
  },
  {
    row: "C7",
    what: "an operation that was interrupted is waited for",
    file: "src/internal/request/inFlight.ts",
    find: "return Effect.onExit(restore(effect), () =>",
    replace: "return Effect.tap(restore(effect), () =>"
  },
  {
    row: "C8",
    what: "a name with a lone surrogate is taken",
    file: "src/SessionKey.ts",
    find: "if (!name.isWellFormed())",
    replace: "if (name === \"\\ud800 \")"
  },
  {
    row: "C8",
    what: "NFC and NFD are one key",
    file: "src/internal/codec/packedData.ts",
    find: "JSON.stringify(key).slice",
    replace: "JSON.stringify(key.normalize()).slice"
  },
  {
    row: "C8",
    what: "values are checked but not decoded",
    file: "src/internal/edition/schema.ts",
    find: "  ParseResult.decodeUnknown(schema)",
    replace: "  ParseResult.validate(schema) as never"
  },
  {
    row: "C9",
    what: "modify writes whatever version is there",
    file: "src/internal/server/modify.ts",
    find: "backend.update(id, patch, now, session.version, session)",
    replace: "backend.update(id, patch, now, undefined, session)"
  },
  {
    row: "C9",
    what: "who comes last has the next turn",
    file: "src/internal/store/turns.ts",
    find: "const next = queue.first",
    replace: "const next = queue.last"
  },
  {
    row: "C9",
    what: "a lost compare-and-set is tried again once only",
    file: "src/internal/server/contention.ts",
    find: "const maxTries = 100",
    replace: "const maxTries = 1"
  },
  {
    row: "C9",
    what: "there is no bound on how often modify tries",
    file: "src/internal/server/modify.ts",
    find: "return tries === maxTries",
    replace: "return tries === Infinity"
  },
  {
    row: "C9",
    what: "a modify that changes nothing trusts what was loaded long ago",
    file: "src/internal/server/modify.ts",
    find: "isCurrent ? { _tag: \"Modified\"",
    replace: "true ? { _tag: \"Modified\""
  },
  {
    row: "C9",
    what: "who is interrupted while waiting keeps the turn",
    file: "src/internal/store/turns.ts",
    find: "if (waiter.granted) this.release(key, queue)",
    replace: "if (waiter.granted) return"
  },
  {
    row: "C9",
    what: "a caller that holds the only connection waits for the others",
    file: "src/internal/store/turns.ts",
    find: "passes ? use({ snapshot: undefined }) : waiting",
    replace: "passes ? waiting : waiting"
  },
  {
    row: "C9",
    what: "in a worker of Cloudflare, callers wait for each other",
    file: "src/internal/store/turns.ts",
    find: "globalThis.navigator?.userAgent === \"Cloudflare-Workers\"",
    replace: "globalThis.navigator?.userAgent === \"Cloudflare\""
  },
  {
    row: "C9",
    what: "modify does not see what the request has yet to save",
    file: "src/internal/request/modifying.ts",
    find: "if (draft.lookup(key.name) !== undefined) {",
    replace: "if (draft.isBeingSaved) {"
  },
  {
    row: "C10",
    what: "renew drops what another request wrote meanwhile",
    file: "src/internal/server/renew.ts",
    find: "backend.remove(renewal.oldId, current.version, now, successor(renewal, saved, now))",
    replace: "backend.remove(renewal.oldId, undefined, now, successor(renewal, saved, now))"
  },
  {
    row: "C10",
    what: "a sealed session keeps its sid through a renewal",
    file: "src/internal/cookie/cookieStore.ts",
    find: "const id = (!renew ? former :",
    replace: "const id = (previous !== undefined ? former :"
  },
  {
    row: "C10",
    what: "who signs in again keeps the id",
    file: "src/internal/request/decide.ts",
    find: "marks.renew || marks.owner !== undefined\n      const asked",
    replace:
      "marks.renew || (marks.owner !== undefined && marks.owner.subject !== session.owner?.subject)\n      const asked",
    tests: "test/Sessions.test.ts"
  },
  {
    row: "C10",
    what: "the creation time starts anew",
    file: "src/internal/request/decide.ts",
    find: "marks.owner === undefined ? session :",
    replace: "marks.owner === undefined && !marks.renew ? session :"
  },
  {
    row: "C10",
    what: "renew leaves the old record as well",
    file: "src/internal/server/renew.ts",
    find: "backend.remove(renewal.oldId, current.version, now, successor(renewal, saved, now))",
    replace: "Effect.succeed(\"removed\" as const)"
  },
  {
    row: "C10",
    what: "renew renews at once, and not with the response",
    file: "src/internal/request/requestSession.ts",
    find: "        this.draft.renew(this.stored.data)\n"
      + "        return Effect.void\n",
    replace: "        this.draft.renew(this.stored.data)\n"
      + "        return Effect.orDie(Effect.asVoid(save(this, now, undefined)))\n"
  },
  {
    row: "C11",
    what: "a WebSocket counts as before the head",
    file: "src/internal/request/answer.ts",
    find: "    this.closed = true\n    this.upgraded = true\n",
    replace: "    this.upgraded = true\n"
  },
  {
    row: "C11",
    what: "a change that would need a cookie is dropped without a word",
    file: "src/internal/request/contents.ts",
    find: "if (stored.state._tag !== \"Found\") return whenAbsent",
    replace: "if (stored.state._tag !== \"Found\") return Effect.void"
  },
  {
    row: "C11",
    what: "a sealed session takes changes after the head, and loses them",
    file: "src/internal/request/contents.ts",
    find: "      if (store.kind === \"client\") return failClosed\n",
    replace: "      if (store.kind === \"client\") return apply()\n"
  },
  {
    row: "C11",
    what: "a change after the head is not saved",
    file: "src/internal/request/contents.ts",
    find: "andThen(apply(), () => save(parts, now, undefined))",
    replace: "apply()"
  },
  {
    row: "C11",
    what: "renew after the head is dropped without a word",
    file: "src/internal/request/requestSession.ts",
    find: "        if (this.answer.isClosed) return failClosed\n        this.draft.renew(this.stored.data)",
    replace: "        if (this.answer.isClosed) return Effect.void\n        this.draft.renew(this.stored.data)"
  },
  {
    row: "C11",
    what: "commit saves with the response and not now",
    file: "src/internal/request/requestSession.ts",
    find: "this.answer.isClosed ? Effect.void : Effect.asVoid(save(this, now, undefined, true))",
    replace: "Effect.void"
  },
  {
    row: "C12",
    what: "setExpiry alone makes a session",
    file: "src/internal/request/decide.ts",
    find: "if (set.size === 0 && marks.owner === undefined) return nothing",
    replace: "if (set.size === 0 && marks.owner === undefined && marks.own === undefined) return nothing"
  },
  {
    row: "C12",
    what: "flush sends a removal to a browser that sent no cookie",
    file: "src/internal/request/answer.ts",
    find: "this.cookie = hadCookie ? removeCookie : noCookie",
    replace: "this.cookie = removeCookie"
  },
  {
    row: "C13",
    what: "a default is made once",
    file: "src/SessionKey.ts",
    find: "otherwise, Option.getOrElse(otherwise))",
    replace: "otherwise, ((made) => Option.getOrElse(() => made))(otherwise()))"
  },
  {
    row: "C13",
    what: "modify gives its function an Option, whatever the key",
    file: "src/internal/request/modifying.ts",
    find: "f(key.fromStored(current))",
    replace: "f(current as never)"
  },
  {
    row: "C13",
    what: "a value that reads as absent is no value, not even the default",
    file: "src/internal/request/requestSession.ts",
    find: "if (!read.present) return Effect.succeed(key.fromStored(Option.none()))",
    replace: "if (!read.present) return Effect.succeed(Option.none() as never)"
  },
  {
    row: "C13",
    what: "a key with a default passes for one without",
    kind: "types",
    file: "src/SessionKey.ts",
    find: "  withDefault(otherwise: LazyArg<A>): SessionKey<A, I, R, A>\n  /**",
    replace: "  withDefault(otherwise: LazyArg<A>): SessionKey<A, I, R, any>\n  /**"
  },
  {
    row: "C14",
    what: "has decodes the value",
    file: "src/RequestContext.ts",
    find: "context.get(presence(key)) as Effect.Effect<boolean, LoadError>",
    replace: "Effect.map(context.get(key), Option.isSome as never) as Effect.Effect<boolean, LoadError>"
  },
  {
    row: "C14",
    what: "has counts a value that reads as absent",
    file: "src/SessionKey.ts",
    find: "present: key.isPresent(text), value: true",
    replace: "present: true, value: true"
  },
  {
    row: "C14",
    what: "update reads and inserts, and loses updates",
    file: "src/RequestContext.ts",
    find: "  modify(key, (current) => {\n    const next = f(current)\n    return [next, Option.some(next)]\n  })",
    replace:
      "  Effect.flatMap(Effect.map(get(key), f), (next) => Effect.as(Effect.zipRight(Effect.yieldNow(), insert(key, next)), next))"
  },
  {
    row: "C15",
    what: "getStruct returns options only",
    file: "src/RequestContext.ts",
    find: "Effect.map(context.get(key), (value) => [property, value] as const)",
    replace: "Effect.map(context.get(key), (value) => [property, Option.some(value)] as const)"
  },
  {
    row: "C15",
    what: "a patch that does not fit is made in part",
    file: "src/internal/request/draft.ts",
    find: "for (const [name, text] of texts) weight = this.reweigh(name, text, stored)",
    replace:
      "for (const [name, text] of texts) { weight = this.reweigh(name, text, stored); this.changes.set(name, text!) }"
  },
  {
    row: "C15",
    what: "each property has to fit before what the patch removes makes room",
    file: "src/internal/request/draft.ts",
    find: "for (const [name, text] of texts) weight = this.reweigh(name, text, stored)",
    replace: "for (const [name, text] of texts) if (text !== undefined) weight = this.reweigh(name, text, stored)"
  },
  {
    row: "C15",
    what: "None is not in the patch",
    file: "src/internal/request/struct.ts",
    find: "if (given === undefined) continue",
    replace: "if (given === undefined || Option.isNone(given as never)) continue"
  },
  {
    row: "C15",
    what: "two properties may have one key",
    file: "src/SessionKey.ts",
    find: "if (names.has(name)) throw",
    replace: "if (false as boolean) throw"
  },
  {
    row: "C15",
    what: "a patch loads the session",
    file: "src/internal/request/contents.ts",
    find:
      "if (store.kind === \"client\" && stored.state._tag === \"Unloaded\") {\n    return andThen(load(parts, now), () => patchTexts",
    replace: "if (stored.state._tag === \"Unloaded\") {\n    return andThen(load(parts, now), () => patchTexts"
  },
  {
    row: "C15",
    what: "a patch takes the plain value of a key without a default",
    kind: "types",
    file: "src/SessionKey.ts",
    find: "readonly [P in keyof F]?: Type<F>[P] | undefined",
    replace: "readonly [P in keyof F]?: unknown"
  },
  {
    row: "U1",
    what: "an unhandled NotSignedIn is a 403",
    file: "src/SessionError.ts",
    find: "return respond401",
    replace: "return respond403"
  },
  {
    row: "U1",
    what: "who has not signed in has an empty subject",
    file: "src/RequestContext.ts",
    find: "onNone: () => Effect.fail(new NotSignedIn()), onSome: (who) => Effect.succeed(who)",
    replace:
      "onNone: () => Effect.succeed<SignedIn>({ subject: \"\", authenticatedAt: 0 }), onSome: (who) => Effect.succeed(who)"
  },
  {
    row: "U1",
    what: "requireSignedIn may fail with what no endpoint declares",
    kind: "types",
    file: "src/RequestContext.ts",
    find: "requireSignedIn: Effect.Effect<SignedIn, NotSignedIn | LoadError, RequestContext>",
    replace: "requireSignedIn: Effect.Effect<SignedIn, NotSignedIn | ReadError, RequestContext>"
  },
  {
    row: "U2",
    what: "a user who has been deleted passes",
    file: "src/internal/http/currentUser.ts",
    find: "onNone: () => Effect.fail(new NotSignedIn())",
    replace: "onNone: () => Effect.succeed({ name: \"nobody\" } as User)"
  },
  {
    row: "U2",
    what: "the look-up lacks the services of the layer",
    file: "src/RequestContextApi.ts",
    find: "merged(services, request, [",
    replace: "merged(Context.empty(), request, ["
  },
  {
    row: "U2",
    what: "the document calls the session optional where only users pass",
    file: "src/RequestContextApi.ts",
    find: "corrected(operation.security, isForUsers(operation))",
    replace: "corrected(operation.security, false)"
  },
  {
    row: "U2",
    what: "the document lacks the 401",
    file: "src/RequestContextApi.ts",
    find: "Schema.Union(NotSignedIn, ReadError, options.failure",
    replace: "Schema.Union(ReadError, ReadError, options.failure"
  },
  {
    row: "U2",
    what: "the look-up may fail with what the tag does not declare",
    kind: "types",
    file: "src/RequestContextApi.ts",
    find: "NoInfer<Failure>, R>",
    replace: "any, R>"
  },
  {
    row: "U3",
    what: "a request without a session is one of an anonymous visitor",
    file: "src/RequestContextRpc.ts",
    find: "Effect.zipRight(Effect.logError(noSession), Effect.die(new Error(noSession)))",
    replace: "Effect.succeed(undefined as never)"
  },
  {
    row: "U3",
    what: "the error of a missing session is not logged",
    file: "src/RequestContextRpc.ts",
    find: "Effect.zipRight(Effect.logError(noSession), Effect.die(new Error(noSession)))",
    replace: "Effect.die(new Error(noSession))"
  },
  {
    row: "U3",
    what: "the client gets NotSignedIn without its type",
    file: "src/RequestContextRpc.ts",
    find: "Schema.Union(NotSignedIn, ReadError, options.failure",
    replace: "Schema.Union(ReadError, ReadError, options.failure"
  },
  {
    row: "U3",
    what: "the look-up of RPCs takes any subject",
    kind: "types",
    file: "src/RequestContextRpc.ts",
    find: "find: (subject: NoInfer<A>) =>",
    replace: "find: (subject: any) =>"
  },
  {
    row: "U4",
    what: "who has signed in is the text, whatever the schema",
    file: "src/Subject.ts",
    find: "({ ...who, subject })",
    replace: "({ ...who, subject: who.subject as A })"
  },
  {
    row: "U4",
    what: "bind takes a subject of any type",
    kind: "types",
    file: "src/Subject.ts",
    find: "  readonly bind: (\n    subject: A,",
    replace: "  readonly bind: (\n    subject: unknown,"
  },
  {
    row: "M1",
    what: "an untouched session behind a cookie costs a Vary",
    file: "src/internal/http/respond.ts",
    find: "if (!session.touched) {",
    replace: "if (!session.touched && session.request.cookie === undefined) {"
  },
  {
    row: "M2",
    what: "inserting what is already there is a change",
    file: "src/internal/request/changes.ts",
    find: "} else if (this.cleared || base?.get(key) !== text) (set ??= new Map()).set(key, text)",
    replace: "} else (set ??= new Map()).set(key, text)"
  },
  {
    row: "M2",
    what: "a session that was only read is saved every time",
    file: "src/internal/request/decide.ts",
    find: "changed ? saving(plain) : basis.reseal ?",
    replace: "changed ? saving(plain) : session.data.size > 0 ?"
  },
  {
    row: "M2",
    what: "an insert alone loads the session",
    file: "src/internal/request/stored.ts",
    find: "return this.store.kind === \"server\" && tokens.length === 1 ? tokens[0] : undefined",
    replace: "return undefined"
  },
  {
    row: "M3",
    what: "a Set-Cookie of our name among the handler's headers is sent as well",
    file: "src/internal/http/respond.ts",
    find: "inHeader(config, response) ? Headers.remove(kept, [\"set-cookie\"]) : kept",
    replace: "kept"
  },
  {
    row: "M3",
    what: "a cookie of our name is replaced without a warning",
    file: "src/internal/http/respond.ts",
    find: "return isForeign ? Effect.as(Effect.logWarning(foreignReplaced), sent) : Effect.succeed(sent)",
    replace: "return Effect.succeed(sent)"
  },
  {
    row: "M3",
    what: "cookies set beside a Response of fetch get lost",
    file: "src/internal/http/webResponse.ts",
    find: "  for (const cookie of Object.values(own.cookies)) put(cookie)\n",
    replace: ""
  },
  {
    row: "M3",
    what: "a server store sends the cookie on every change",
    file: "src/internal/request/answer.ts",
    find: "if (token === before?.token && !isOutdated) return\n",
    replace: ""
  },
  {
    row: "M3",
    what: "a refresh of a cookie without Max-Age sends it",
    file: "src/internal/request/answer.ts",
    find: "moved && (expiry.persistent || before?.persistent === true)",
    replace: "moved"
  },
  {
    row: "M4",
    what: "a 500 commits",
    file: "src/internal/config/resolveOptions.ts",
    find: "status < 500 && status !== 499",
    replace: "status <= 500 && status !== 499"
  },
  {
    row: "M4",
    what: "the body of a response whose client has gone is waited for",
    file: "src/internal/http/respond.ts",
    find: "(response) => received(recipient, response)",
    replace: "(response) => response"
  },
  {
    row: "M4",
    what: "the body of a response that needed no I/O is waited for, although its client has gone",
    file: "src/internal/http/respond.ts",
    find: "        const sent = received(recipient, responded.value)\n",
    replace: "        const sent = responded.value\n"
  },
  {
    row: "M4",
    what: "the body of a response that does not concern the session is waited for, although its client has gone",
    file: "src/internal/http/respond.ts",
    find: "received(recipient, WebResponse.withHead(original, head))",
    replace: "WebResponse.withHead(original, head)"
  },
  {
    row: "M4",
    what: "a HEAD whose client has gone is waited for",
    file: "src/internal/http/clientGone.ts",
    find: "  if (request.method === \"HEAD\") end(request)\n",
    replace: ""
  },
  {
    row: "M4",
    what: "a client counts as gone only when its connection has been closed altogether",
    file: "src/internal/http/clientGone.ts",
    find: "socket?: { readonly writable?: boolean } }).socket?.writable === false",
    replace: "socket?: { readonly closed?: boolean } }).socket?.closed === true"
  },
  {
    row: "M4",
    what: "a 499 commits",
    file: "src/internal/config/resolveOptions.ts",
    find: "status < 500 && status !== 499",
    replace: "status < 500"
  },
  {
    row: "M4",
    what: "the predicate is not asked",
    file: "src/internal/config/resolveOptions.ts",
    find: "commitWhen: given.commitWhen ?? commitsBelow500",
    replace: "commitWhen: commitsBelow500"
  },
  {
    row: "M4",
    what: "the cookie of what commit saved is dropped with the changes",
    file: "src/internal/request/requestSession.ts",
    find: "    if (!committing || answer.isClosed) return Effect.succeed(this.giveVerdict(undefined))\n",
    replace:
      "    if (!committing) answer.ended()\n    if (!committing || answer.isClosed) return Effect.succeed(this.giveVerdict(undefined))\n"
  },
  {
    row: "M5",
    what: "the 503 has no CORS headers",
    file: "src/internal/http/respond.ts",
    find: " || name.startsWith(\"access-control-\")",
    replace: ""
  },
  {
    row: "M5",
    what: "the 503 may be stored",
    file: "src/internal/http/respond.ts",
    find: "{ \"cache-control\": \"no-store\" }",
    replace: "{}"
  },
  {
    row: "M5",
    what: "the 503 has all of the handler's headers",
    file: "src/internal/http/respond.ts",
    find: "if (name === idHeader ||",
    replace: "if (name !== \"content-type\" ||"
  },
  {
    row: "M5",
    what: "a store that does not answer is waited for",
    file: "src/internal/server/guard.ts",
    find: "withDeadline(effect, millis, () => SessionStoreError.of(operation, \"Timeout\"))",
    replace: "effect"
  },
  {
    row: "M5",
    what: "the time of waiting for one's turn counts towards the time-out",
    file: "src/internal/server/guard.ts",
    find: "InTurn.is(effect) ?",
    replace: "InTurn.is(effect) && false ?"
  },
  {
    row: "M5",
    what: "a store that throws is a defect",
    file: "src/internal/server/guard.ts",
    find: "return report(SessionStoreError.of(operation, \"Unavailable\", defect))",
    replace: "return Effect.die(defect)"
  },
  {
    row: "M5",
    what: "a failed refresh is a failed commit",
    file: "src/internal/request/decide.ts",
    find:
      "        mere: !changed,\n        without: changed ? { ...plain, patch: patch(content, refreshes ? undefined : expiry) } : undefined",
    replace: "        mere: false,\n        without: undefined"
  },
  {
    row: "M5",
    what: "a schema that hangs keeps the client waiting",
    file: "src/internal/request/inFlight.ts",
    find: "return Effect.ignore(withDeadline(idle, millis, () => undefined))",
    replace: "return idle"
  },
  {
    row: "M6",
    what: "an expired seal is counted as a forged one",
    file: "src/internal/cookie/cookieStore.ts",
    find: "if (expiry.isExpired(config, times, now)) return expired",
    replace: "if (expiry.isExpired(config, times, now)) return notAuthentic"
  },
  {
    row: "M6",
    what: "an unknown token is counted as a forged one",
    file: "src/internal/server/serverStore.ts",
    find: "reason: \"Unknown\", warning",
    replace: "reason: \"NotAuthentic\", warning"
  },
  {
    row: "M6",
    what: "look-ups are not counted by outcome",
    file: "src/internal/store/metrics.ts",
    find: "Metric.labelled(load, { outcome })",
    replace: "Metric.labelled(load, { outcome: \"any\" })"
  },
  {
    row: "M6",
    what: "reading removes the cookie from the browser",
    file: "src/internal/request/answer.ts",
    find: "return this.given = { cookie: this.cookie, failure }",
    replace: "return this.given = { cookie: this.cookie._tag === \"None\" ? removeCookie : this.cookie, failure }"
  },
  {
    row: "M7",
    what: "an id that the store does not know is adopted",
    file: "src/internal/server/serverStore.ts",
    find: "return !isKnown ? createUnseen(patch, now) :",
    replace: "if (!isKnown) {\n"
      + "            const expiry = patch.expiry ?? ExpiryPolicy.fresh(config, now, undefined)\n"
      + "            const adopted: NewSession = { ...expiry, data: patch.set, owner: undefined }\n"
      + "            return Effect.as(backend.insert(id, adopted, now), {\n"
      + "              _tag: \"Saved\",\n"
      + "              token: base.token,\n"
      + "              id,\n"
      + "              expiry,\n"
      + "              moved: true,\n"
      + "              session: { ...adopted, version: 1 }\n"
      + "            } as Saved)\n"
      + "          }\n"
      + "          return false ? createUnseen(patch, now) :"
  },
  {
    row: "M7",
    what: "an unseen write to a session that is gone is lost",
    file: "src/internal/server/serverStore.ts",
    find: "return !isKnown ? createUnseen(patch, now) :",
    replace: "return"
  },
  {
    row: "M8",
    what: "a fifth value is tried",
    file: "src/internal/request/cookieHeader.ts",
    find: "if (tokens.length === max) break",
    replace: "if (tokens.length > max) break"
  },
  {
    row: "M8",
    what: "quotes are part of the value",
    file: "src/internal/request/cookieHeader.ts",
    find: "value.slice(1, -1) : value",
    replace: "value : value"
  },
  {
    row: "M8",
    what: "a cookie whose name ends in ours is taken for ours",
    file: "src/internal/request/cookieHeader.ts",
    find: "if (!startsPair(header, start)) continue\n",
    replace: ""
  },
  {
    row: "M8",
    what: "values are tried last to first",
    file: "src/internal/request/cookieHeader.ts",
    find: "tokens.push(value)",
    replace: "tokens.unshift(value)"
  },
  {
    row: "M8",
    what: "malformed values are asked of the store",
    file: "src/internal/request/cookieHeader.ts",
    find: "if (value === undefined || !wellFormed(value)) malformed",
    replace: "if (value === undefined) malformed"
  },
  {
    row: "M8",
    what: "each malformed escape throws an exception",
    file: "src/internal/codec/percent.ts",
    find: "notAscii.test(text) ? undefined : decodeURIComponent(text)",
    replace: "{\n  try {\n    return decodeURIComponent(text)\n  } catch {\n    return undefined\n  }\n}"
  },
  {
    row: "M9",
    what: "a Cache-Control without no-store stays",
    file: "src/internal/http/setCookie.ts",
    find: " !== undefined\n"
      + "    && cacheControl.split(\",\").some((directive) => directive.trim().toLowerCase() ==="
      + " \"no-store\")\n",
    replace: " !== undefined\n"
  },
  {
    row: "M9",
    what: "Vary: * gets a Cookie too",
    file: "src/internal/http/setCookie.ts",
    find: "fields.includes(\"*\") || ",
    replace: ""
  },
  {
    row: "M9",
    what: "Vary has Cookie twice when it was there in lower case",
    file: "src/internal/http/setCookie.ts",
    find: "field.trim().toLowerCase()",
    replace: "field.trim()"
  },
  {
    row: "M9",
    what: "a response that only read the session has no Vary",
    file: "src/internal/http/respond.ts",
    find: "WebResponse.withHead(response, vary === response.headers[\"vary\"] ? head : { ...head, vary })",
    replace: "WebResponse.withHead(response, head)"
  },
  {
    row: "M10",
    what: "the path is / whatever is configured",
    file: "src/internal/http/setCookie.ts",
    find: "path: config.path,",
    replace: "path: \"/\","
  },
  {
    row: "M10",
    what: "the cookie is always HttpOnly",
    file: "src/internal/http/setCookie.ts",
    find: "httpOnly: config.httpOnly,",
    replace: "httpOnly: true,"
  },
  {
    row: "M10",
    what: "Partitioned is not sent",
    file: "src/internal/http/setCookie.ts",
    find: "config.partitioned ? { partitioned: true } : {}",
    replace: "{}"
  },
  {
    row: "M10",
    what: "a header of another name carries a session",
    file: "src/internal/http/requestContext.ts",
    find: "return this.request.headers[\"cookie\"]\n",
    replace: "return this.request.headers[\"cookie\"] ?? this.request.headers[\"cookie2\"]\n"
  },
  {
    row: "M11",
    what: "the API's document shows a header and no cookie",
    file: "src/RequestContextApi.ts",
    find: "apiKey({ in: \"cookie\",",
    replace: "apiKey({ in: \"header\","
  },
  {
    row: "M11",
    what: "an HttpApi without a middleware for the id has none",
    file: "src/RequestContextApi.ts",
    find: "Effect.zipRight(Id.ensure(options), RequestContext.beginApi(store))",
    replace: "RequestContext.beginApi(store)"
  },
  {
    row: "M12",
    what: "Max-Age is rounded down",
    file: "src/internal/store/expiry.ts",
    find: "? Math.ceil(",
    replace: "? Math.floor("
  },
  {
    row: "M12",
    what: "Expires is sent beside Max-Age",
    file: "src/internal/http/setCookie.ts",
    find: "maxAge: Duration.seconds(maxAge) }",
    replace: "maxAge: Duration.seconds(maxAge), expires: new Date(Date.now() + maxAge * 1000) }"
  },
  {
    row: "M13",
    what: "an inner middleware begins a session of its own",
    file: "src/internal/http/requestContext.ts",
    find: "    const outer = RequestFiber.find(fiber, request, isSession(request, store))\n",
    replace: "    const outer = undefined\n"
  },
  {
    row: "M13",
    what: "the layer begins a session of its own",
    file: "src/internal/http/requestContext.ts",
    find: "foreignIn(fiber) ?? RequestFiber.find(fiber, request, isSession(request, store))",
    replace: "foreignIn(fiber)"
  },
  {
    row: "K1",
    what: "trailing bits before one = are ignored",
    file: "src/internal/cookie/base64.ts",
    find: "if (!beforeOnePad.includes(text.charAt(length - 2))) return -1\n",
    replace: ""
  },
  {
    row: "K1",
    what: "the url-safe alphabet is read as well",
    file: "src/internal/cookie/base64.ts",
    find: "text.includes(\"-\") || text.includes(\"_\") || ",
    replace: ""
  },
  {
    row: "K1",
    what: "padding may be missing",
    file: "src/internal/cookie/base64.ts",
    find: "if (length === 0 || length % 4 !== 0) return -1\n"
      + "  let bytes = (length / 4) * 3",
    replace: "if (length === 0) return -1\n"
      + "  let bytes = Math.floor((length / 4) * 3)"
  },
  {
    row: "K1",
    what: "27 bytes reach the cipher",
    file: "src/internal/cookie/privateJar.ts",
    find: "bytes < sealBytes ? -1",
    replace: "bytes < sealBytes - 1 ? -1"
  },
  {
    row: "K1",
    what: "8,196 characters reach the cipher",
    file: "src/internal/cookie/privateJar.ts",
    find: "maxSealedLength = 8192",
    replace: "maxSealedLength = 8196"
  },
  {
    row: "K1",
    what: "the bytes of the cookie's name are Latin-1",
    file: "src/PrivateCookie.ts",
    find: "lastBytes = Buffer.from(name)",
    replace: "lastBytes = Buffer.from(name, \"latin1\")"
  },
  {
    row: "K1",
    what: "a sealed session opens under any name of the same length",
    file: "src/internal/cookie/cookieStore.ts",
    find: "const name = Buffer.from(config.name)",
    replace: "const name = Buffer.alloc(config.name.length, \"-\")"
  },
  {
    row: "K1",
    what: "one nonce is used for every seal",
    file: "src/internal/codec/random.ts",
    find: "used += bytes\n",
    replace: "used += bytes - nonceLength\n"
  },
  {
    row: "K1",
    what: "the percent-encoded form is not read",
    file: "src/PrivateCookie.ts",
    find: "sealed.includes(\"%\") ? decodePercent(sealed) : sealed",
    replace: "sealed"
  },
  {
    row: "K2",
    what: "64 bytes are too short",
    file: "src/KeyRing.ts",
    find: "material.length < internal.materialLength",
    replace: "material.length <= internal.materialLength"
  },
  {
    row: "K2",
    what: "bytes 0–31 encrypt",
    file: "src/internal/cookie/keyMaterial.ts",
    find: "material.subarray(encryptingFrom, materialLength)",
    replace: "material.subarray(0, encryptingFrom)"
  },
  {
    row: "K2",
    what: "a secret of 31 bytes is derived from",
    file: "src/KeyRing.ts",
    find: "const minSecret = 32",
    replace: "const minSecret = 31"
  },
  {
    row: "K2",
    what: "derive forgets to chain its blocks",
    file: "src/KeyRing.ts",
    find: ".update(first).update(info)",
    replace: ".update(info)"
  },
  {
    row: "K2",
    what: "the encrypting half that was derived is not wiped",
    file: "src/KeyRing.ts",
    find: "  second.fill(0)\n",
    replace: ""
  },
  {
    row: "K2",
    what: "key material is allocated in the memory that small Buffers share",
    file: "src/internal/cookie/keyMaterial.ts",
    find: "new Uint8Array(new ArrayBuffer(length))",
    replace: "Buffer.allocUnsafe(length)"
  },
  {
    row: "K2",
    what: "a ring's text is its key",
    file: "src/internal/cookie/keyMaterial.ts",
    find: "toString(): string {\n"
      + "    return redacted",
    replace: "toString(): string {\n"
      + "    return this.#objects.map((object) => object.export().toString(\"base64\")).join()"
  },
  {
    row: "K3",
    what: "a value beyond ASCII is read as Latin-1",
    file: "src/internal/cookie/privateJar.ts",
    find: "isAscii(plain) ? plain.toString(\"latin1\")",
    replace: "isUtf8(plain) ? plain.toString(\"latin1\")"
  },
  {
    row: "K3",
    what: "the tag comes before the ciphertext",
    file: "src/internal/cookie/privateJar.ts",
    find: "  scratch.set(body, random.nonceLength)\n"
      + "  scratch.set(cipher.getAuthTag(), random.nonceLength + body.length)",
    replace: "  scratch.set(cipher.getAuthTag(), random.nonceLength)\n"
      + "  scratch.set(body, random.nonceLength + tagLength)"
  },
  {
    row: "K4",
    what: "a session of an older key is not sealed anew",
    file: "src/internal/cookie/cookieStore.ts",
    find: "reseal: opened.key > 0",
    replace: "reseal: false"
  },
  {
    row: "K4",
    what: "the last key seals",
    file: "src/internal/cookie/cookieStore.ts",
    find: "const [sealing] = keyObjects(ring)",
    replace: "const [sealing] = [...keyObjects(ring)].reverse()"
  },
  {
    row: "K4",
    what: "a ring holds seven keys at most",
    file: "src/KeyRing.ts",
    find: "keys.length > internal.maxKeys",
    replace: "keys.length >= internal.maxKeys"
  },
  {
    row: "K4",
    what: "re-sealing extends the session",
    file: "src/internal/cookie/cookieStore.ts",
    find: "expiry.fresh(config, now, undefined) : expiry.timesOf(previous)",
    replace: "expiry.fresh(config, now, undefined) : expiry.touch(config, previous, now)"
  },
  {
    row: "K5",
    what: "the sid changes with every save",
    file: "src/internal/cookie/cookieStore.ts",
    find: "const former = previous === undefined ? undefined : sidOf(previous)",
    replace: "const former = undefined as string | undefined"
  },
  {
    row: "K5",
    what: "every audience is the empty one",
    file: "src/internal/cookie/payload.ts",
    find: "return { anonymous: format + ascii,",
    replace: "return { anonymous: format + '\"\"',"
  },
  {
    row: "K5",
    what: "times have as many digits as they need",
    file: "src/internal/cookie/payload.ts",
    find: "high.toString(36).padStart(width - lowLength, \"0\")",
    replace: "high.toString(36)"
  },
  {
    row: "K5",
    what: "the time of the last refresh is that of the creation",
    file: "src/internal/cookie/payload.ts",
    find: "instant(expiry.refreshedAt)",
    replace: "instant(expiry.createdAt)"
  },
  {
    row: "K5",
    what: "a seal is read after its time",
    file: "src/internal/cookie/cookieStore.ts",
    find: "if (expiry.isExpired(config, times, now)) return expired(decoded.sid)\n",
    replace: ""
  },
  {
    row: "K6",
    what: "the boundary does not fit",
    file: "src/internal/cookie/cookieStore.ts",
    find: "size > limit ?",
    replace: "size >= limit ?"
  },
  {
    row: "K6",
    what: "the name does not count",
    file: "src/internal/cookie/cookieStore.ts",
    find: "name.length + privateJar.sealedLength(bytes)",
    replace: "privateJar.sealedLength(bytes)"
  },
  {
    row: "K6",
    what: "an entry weighs an byte less than it takes",
    file: "src/internal/codec/packedData.ts",
    find: "digits(text.length) + 2 +",
    replace: "digits(text.length) + 1 +"
  },
  {
    row: "K6",
    what: "a value that was refused counts on",
    file: "src/internal/request/draft.ts",
    find: "      this.weight = before\n      return error\n    }\n    this.put(",
    replace: "      return error\n    }\n    this.put("
  },
  {
    row: "C15",
    what: "a patch that was refused counts on",
    file: "src/internal/request/draft.ts",
    find: "      this.weight = before\n      return error\n    }\n    for (",
    replace: "      return error\n    }\n    for ("
  },
  {
    row: "K7",
    what: "nobody is warned",
    file: "src/internal/cookie/cookieStore.ts",
    find: "warning: decoded.warning",
    replace: "warning: undefined"
  },
  {
    row: "K7",
    what: "a damaged sid is taken",
    file: "src/internal/cookie/payload.ts",
    find: " || !sidPattern.test(sid)) return damaged",
    replace: ") return damaged"
  },
  {
    row: "K7",
    what: "a payload that is no text dies",
    file: "src/internal/cookie/payload.ts",
    find: "if (text === undefined) return otherFormat\n",
    replace: "text = text!\n"
  },
  {
    row: "S1",
    what: "another text of the same token is a token",
    file: "src/internal/server/token.ts",
    find: "{42}[AEIMQUYcgkosw048]$",
    replace: "{43}$"
  },
  {
    row: "S1",
    what: "the store holds the token itself",
    file: "src/internal/codec/sha256.ts",
    find: "hash(\"sha256\", text, \"base64url\")",
    replace: "text"
  },
  {
    row: "S1",
    what: "a token has 240 bits, and is padded",
    file: "src/internal/codec/random.ts",
    find: "base64url(32)",
    replace: "base64url(30) + \"AAA\""
  },
  {
    row: "S2",
    what: "renew revives a session that was ended meanwhile",
    file: "src/internal/server/renew.ts",
    find: "return Effect.as(drop, ended)",
    replace: "return Effect.succeed<Copied>(saved)"
  },
  {
    row: "S2",
    what: "a commit to a session that is gone makes a new one",
    file: "src/internal/server/serverStore.ts",
    find: "createUnseen(patch, now) : Effect.succeed(ended)",
    replace: "createUnseen(patch, now) : create(patch, undefined, now)"
  },
  {
    row: "S2",
    what: "signing out ends a session only at the version that was loaded",
    file: "src/internal/server/serverStore.ts",
    find: "records.end(idOf(base), base.session?.owner, now)",
    replace: "Effect.asVoid(backend.remove(idOf(base), base.session?.version, now))"
  },
  {
    row: "S2",
    what: "a late writer sends its cookie although the session has ended",
    file: "src/internal/request/answer.ts",
    find: "  ended(): void {\n    this.cookie = noCookie",
    replace: "  ended(): void {\n    this.cookie = this.cookie"
  },
  {
    row: "S2",
    what: "sessions that ended are not counted",
    file: "src/internal/request/stored.ts",
    find: "    Metrics.ended()\n",
    replace: ""
  },
  {
    row: "S3",
    what: "SQL: an update does not ask whether the row is the one that was read",
    file: "src/internal/sql/statements.ts",
    find: "WHERE id = ? AND version = ? AND expires_at = ?",
    replace: "WHERE id = ? AND ? > 0 AND expires_at = ?"
  },
  {
    row: "S3",
    what: "a commit writes the session as this request saw it",
    file: "src/internal/request/decide.ts",
    find: "        : changes.against(session.data)\n",
    replace: "        : ((delta) => {\n"
      + "          const kept = delta.clear ? [] : [...session.data].filter(([key]) =>"
      + " !delta.remove.has(key))\n"
      + "          const all = { clear: true, set: new Map([...kept, ...delta.set]), remove: new"
      + " Set<string>() }\n"
      + "          return isEmptyContent(delta) ? delta : all\n"
      + "        })(changes.against(session.data))\n"
  },
  {
    row: "S4",
    what: "a record is given out at the instant of its end",
    file: "src/internal/memory/sessionTable.ts",
    find: "records.getDouble(slot, R.expiresAt) > now",
    replace: "records.getDouble(slot, R.expiresAt) >= now"
  },
  {
    row: "S4",
    what: "the clean-up takes one step and waits, however much is left",
    file: "src/internal/server/cleanUp.ts",
    find: "if (removed === step) return Effect.zipRight",
    replace: "if (removed > step) return Effect.zipRight"
  },
  {
    row: "S4",
    what: "the clean-up outlives its scope",
    file: "src/internal/layers/serverStores.ts",
    find: "Effect.forkScoped(forever)",
    replace: "Effect.forkDaemon(forever)"
  },
  {
    row: "S4",
    what: "PostgreSQL names expired rows by their place, which partitions share",
    file: "src/internal/sql/statements.ts",
    find: "WHERE id = ANY (ARRAY(SELECT id FROM",
    replace: "WHERE ctid = ANY (ARRAY(SELECT ctid FROM"
  },
  {
    row: "S4",
    what: "Redis decides by its own time to live",
    file: "src/internal/redis/record.ts",
    find: "expiry.expiresAt <= now ? \"Expired\" : \"Live\"",
    replace: "\"Live\""
  },
  {
    row: "S4",
    what: "an expired row is found until it is cleaned up",
    file: "src/internal/sql/record.ts",
    find: "if (expiresAt <= now) return undefined\n",
    replace: ""
  },
  {
    row: "S4",
    what: "removeExpired removes one more than it may",
    file: "src/internal/memory/backend.ts",
    find: "while (count < limit) {",
    replace: "while (count <= limit) {"
  },
  {
    row: "S4",
    what: "files: a session whose time was shortened stays until its former deadline",
    file: "src/internal/keyValueStore/backend.ts",
    find: "if (session.expiresAt < times.expiresAt) cleanUp.readAgain()\n",
    replace: ""
  },
  {
    row: "S5",
    what: "one session more than the bound",
    file: "src/internal/memory/sessionTable.ts",
    find: "this.sessions + moreSessions > this.maxSessions",
    replace: "this.sessions + moreSessions > this.maxSessions + 1"
  },
  {
    row: "S5",
    what: "there is no bound in bytes",
    file: "src/internal/memory/sessionTable.ts",
    find: " || this.bytes + moreBytes > this.maxBytes",
    replace: ""
  },
  {
    row: "S5",
    what: "newcomers count as having come back",
    file: "src/internal/memory/sessionTable.ts",
    find: "recency.add(slot, false)",
    replace: "recency.add(slot, true)"
  },
  {
    row: "S5",
    what: "who came back goes first",
    file: "src/internal/memory/recency.ts",
    find: "this.oldestBut(this.waiting, keep) || this.oldestBut(this.returned, keep)",
    replace: "this.oldestBut(this.returned, keep) || this.oldestBut(this.waiting, keep)"
  },
  {
    row: "S5",
    what: "evictions are not counted",
    file: "src/internal/memory/sessionTable.ts",
    find: "Metrics.evicted(count)",
    replace: ""
  },
  {
    row: "S6",
    what: "a record of a newer format is removed",
    file: "src/internal/server/serverStore.ts",
    find: "if (record.newerFormat) {",
    replace: "if (record.newerFormat && false) {"
  },
  {
    row: "S6",
    what: "a corrupt record stays",
    file: "src/internal/server/serverStore.ts",
    find: "Effect.ignore(backend.remove(id, undefined, now)),\n          () => next(",
    replace: "Effect.void,\n          () => next("
  },
  {
    row: "S6",
    what: "a file that was cut off is read as far as it goes",
    file: "src/internal/keyValueStore/record.ts",
    find: " || head[2] !== checksum(id, body)) return",
    replace: ") return"
  },
  {
    row: "S6",
    what: "files: a list of a subject's sessions is overwritten in place",
    file: "src/internal/keyValueStore/subjectIndex.ts",
    find: "values.set(keyOf(name, sequence + 1)",
    replace: "values.set(keyOf(name, 0)"
  },
  {
    row: "S6",
    what: "a row of a newer format is corrupt",
    file: "src/internal/sql/record.ts",
    find: "newerFormat: true,",
    replace: "newerFormat: false,"
  },
  {
    row: "S7",
    what: "the boundary does not fit",
    file: "src/internal/server/serverStore.ts",
    find: "size > config.maxSessionBytes",
    replace: "size >= config.maxSessionBytes"
  },
  {
    row: "S7",
    what: "keys do not count",
    file: "src/internal/codec/packedData.ts",
    find: "Buffer.byteLength(key) + Buffer.byteLength(text)",
    replace: "Buffer.byteLength(text)"
  },
  {
    row: "S7",
    what: "parallel requests sum past the limit",
    file: "src/internal/memory/backend.ts",
    find: "if (packed.length * 3 > patch.maxBytes) {",
    replace: "if (packed.length > patch.maxBytes * 2) {"
  },
  {
    row: "S8",
    what: "update answers the version that it found",
    file: "src/internal/memory/backend.ts",
    find: "{ _tag: \"Updated\", version, expiry: table.times(slot) }",
    replace: "{ _tag: \"Updated\", version: version - 1, expiry: table.times(slot) }"
  },
  {
    row: "S8",
    what: "insert overwrites a taken id",
    file: "src/internal/memory/sessionTable.ts",
    find: "if (this.liveSlot(now) !== 0) return \"Taken\"\n",
    replace: "if (this.liveSlot(now) !== 0) this.drop(this.liveSlot(now))\n"
  },
  {
    row: "S8",
    what: "update does not look at the version",
    file: "src/internal/memory/backend.ts",
    find: "if (ifVersion !== undefined && ifVersion !== table.version(slot)) return done.updateConflict\n",
    replace: ""
  },
  {
    row: "S8",
    what: "remove does not look at the version",
    file: "src/internal/memory/backend.ts",
    find: "if (ifVersion !== undefined && ifVersion !== table.version(slot)) return done.conflict\n",
    replace: ""
  },
  {
    row: "S8",
    what: "Redis: an update creates",
    file: "src/internal/redis/scripts.ts",
    find: "if not s then return 'M' end\n",
    replace: "s = s or ('1 1 0 ' .. tonumber(now) + 1000 .. ' 0 0 0 00')\n"
  },
  {
    row: "S8",
    what: "SQL: an insert takes the place of a live record",
    file: "src/internal/sql/statements.ts",
    find: "` WHERE old.expires_at <= ?${returning}`",
    replace: "` WHERE old.expires_at <= ? OR TRUE${returning}`"
  },
  {
    row: "S8",
    what: "files: an update does not look at the version",
    file: "src/internal/keyValueStore/backend.ts",
    find: "if (ifVersion !== undefined && ifVersion !== current) return Effect.succeed({ _tag: \"Conflict\" })\n",
    replace: ""
  },
  {
    row: "E1",
    what: "the deadline reaches past the absolute time",
    file: "src/internal/store/expiry.ts",
    find: "policy.absoluteMillis === undefined ? idle : Math.min(idle, createdAt + policy.absoluteMillis)",
    replace: "idle"
  },
  {
    row: "E1",
    what: "touching a session starts its absolute time anew",
    file: "src/internal/store/expiry.ts",
    find: "return make(policy, expiry.createdAt, refreshedAt, idleMillis, persistent, expiry.own)",
    replace: "return make(policy, refreshedAt, refreshedAt, idleMillis, persistent, expiry.own)"
  },
  {
    row: "E1",
    what: "a session has no absolute time by default",
    file: "src/internal/config/resolveOptions.ts",
    find: "absoluteExpiry = defaultAbsoluteMillis",
    replace: "absoluteExpiry = Infinity"
  },
  {
    row: "E1",
    what: "an absolute time configured later does not count",
    file: "src/internal/store/expiry.ts",
    find: "expiry.expiresAt <= now || (policy.absoluteMillis !== undefined && expiry.createdAt +"
      + " policy.absoluteMillis <= now)",
    replace: "expiry.expiresAt <= now"
  },
  {
    row: "E1",
    what: "a sign-in does not start the absolute time anew",
    file: "src/internal/request/decide.ts",
    find: "{ ...session, createdAt: now }",
    replace: "session",
    tests: "test/Sessions.test.ts"
  },
  {
    row: "E2",
    what: "Max-Age is sent without expiry",
    file: "src/internal/store/expiry.ts",
    find: "expiry.persistent ? Math.ceil(",
    replace: "Number.isFinite(expiry.expiresAt) ? Math.ceil("
  },
  {
    row: "E2",
    what: "without expiry the record lives a day",
    file: "src/internal/config/resolveOptions.ts",
    find: "expiry ?? idle ?? 14 * day",
    replace: "expiry ?? idle ?? day"
  },
  {
    row: "E3",
    what: "every touch refreshes",
    file: "src/internal/store/expiry.ts",
    find: ">= policy.refreshAfter * next.idleMillis",
    replace: ">= 0"
  },
  {
    row: "E3",
    what: "a refresh is due one millisecond late",
    file: "src/internal/store/expiry.ts",
    find: ">= policy.refreshAfter * next.idleMillis",
    replace: "> policy.refreshAfter * next.idleMillis"
  },
  {
    row: "E3",
    what: "a write carries no refresh",
    file: "src/internal/request/decide.ts",
    find: "patch: patch({ ...content, set }, expiry)",
    replace: "patch: patch({ ...content, set }, changed ? undefined : expiry)"
  },
  {
    row: "E3",
    what: "an unseen write does not refresh",
    file: "src/internal/server/serverStore.ts",
    find: "if (times === patch.expiry) return",
    replace: "if (times === patch.expiry || patch.expiry === undefined) return"
  },
  {
    row: "E4",
    what: "an own expiry is forgotten by the next refresh",
    file: "src/internal/store/expiry.ts",
    find: "expiry.own ? expiry.idleMillis : policy.idleMillis",
    replace: "policy.idleMillis"
  },
  {
    row: "E4",
    what: "an own expiry may be longer than 400 days",
    file: "src/internal/store/expiry.ts",
    find: "Math.min(Math.floor(millis), maxLifeMillis)",
    replace: "Math.floor(millis)"
  },
  {
    row: "E4",
    what: "a sealed session does not keep its own expiry",
    file: "src/internal/cookie/payload.ts",
    find: "own: own === noOwn ? undefined : {",
    replace: "own: own !== ownPersistent || idleMillis > 0 ? undefined : {"
  },
  {
    row: "E5",
    what: "the time is the system's, not the Clock's",
    file: "src/internal/edition/clock.ts",
    find: "clockOf(fiber).unsafeCurrentTimeMillis()",
    replace: "Date.now()"
  },
  {
    row: "E5",
    what: "a clock that jumps back ends sessions early",
    file: "src/internal/store/expiry.ts",
    find: "Math.max(now, expiry.refreshedAt)",
    replace: "now"
  },
  {
    row: "F1",
    what: "a template in ${…} is taken for a key",
    file: "src/internal/config/keys.ts",
    find: ", /\\$\\{[\\s\\S]*\\}/]",
    replace: "]"
  },
  {
    row: "F1",
    what: "a byte of 256 is taken",
    file: "src/internal/config/keys.ts",
    find: "byte <= 255 ?",
    replace: "byte <= 256 ?"
  },
  {
    row: "F1",
    what: "the default environment is production",
    file: "src/internal/config/file.ts",
    find: "?? \"development\"",
    replace: "?? \"production\""
  },
  {
    row: "F1",
    what: "both blocks at once are no mistake",
    file: "src/internal/config/block.ts",
    find: "if (decoded.length === 1) return decoded[0]",
    replace: "if (decoded.length >= 1) return decoded[0]"
  },
  {
    row: "F1",
    what: "Strict is read as Lax",
    file: "src/internal/config/fields.ts",
    find: "[\"Strict\", \"strict\"]",
    replace: "[\"Strict\", \"lax\"]"
  },
  {
    row: "F1",
    what: "a store type in lower case is refused",
    file: "src/internal/config/fields.ts",
    find: "value.trim().toLowerCase()",
    replace: "value.trim()"
  },
  {
    row: "F1",
    what: "Tower without a store is Memory",
    file: "src/internal/layers/configured.ts",
    find: "return Layer.fail(noServer(kind.name))",
    replace: "return kind.memory(session)"
  },
  {
    row: "F2",
    what: "the store's options do not travel with the cookie's",
    file: "src/internal/layers/configured.ts",
    find: "return kind.memory({ ...session, ",
    replace: "return kind.memory({ "
  },
  {
    row: "F2",
    what: "a variable that is empty counts as set",
    file: "src/internal/config/environment.ts",
    find: "return text === \"\" ? undefined : text",
    replace: "return Option.isNone(value) ? undefined : text"
  },
  {
    row: "F2",
    what: "the audience is not passed on",
    file: "src/internal/layers/configured.ts",
    find: "keys: store.keys, audience: store.audience })",
    replace: "keys: store.keys })"
  },
  {
    row: "F3",
    what: "one mistake at a time",
    file: "src/SessionConfig.ts",
    find: "Either.left(configError(mistakes))",
    replace: "Either.left(configError(mistakes.slice(0, 1)))"
  },
  {
    row: "F3",
    what: "one mistake at a time in a file",
    file: "src/internal/config/mistakes.ts",
    find: "errors: \"all\"",
    replace: "errors: \"first\""
  },
  {
    row: "F3",
    what: "a mistake is printed as Effect prints it, with the value",
    file: "src/internal/config/mistakes.ts",
    find: "  for (const mistake of mistakesOf(decoded.left, path)) mistakes.push(mistake)\n",
    replace: "  mistakes.push({ path, message: ParseResult.TreeFormatter.formatIssueSync(decoded.left) })\n"
  },
  {
    row: "F3",
    what: "a negative duration is zero",
    file: "src/internal/config/resolveOptions.ts",
    find: "accepts(millis) && !isNegative(value) ?",
    replace: "accepts(millis) ?"
  },
  {
    row: "F3",
    what: "unknown keys are passed over",
    file: "src/internal/config/mistakes.ts",
    find: "onExcessProperty: \"error\" | \"ignore\" = \"error\"",
    replace: "onExcessProperty: \"error\" | \"ignore\" = \"ignore\""
  },
  {
    row: "F3",
    what: "a key's mistake prints the key",
    file: "src/internal/config/mistakes.ts",
    find: "message: issue.message ?? acceptedBy(issue.ast, issue)",
    replace: "message: `${issue.message ?? acceptedBy(issue.ast, issue)} (${String(issue.actual)})`"
  },
  {
    row: "F4",
    what: "prefixes are told apart by case",
    file: "src/internal/config/cookieRules.ts",
    find: "lower?.startsWith(prefix.toLowerCase())",
    replace: "name?.startsWith(prefix)"
  },
  {
    row: "F4",
    what: "a __Host- name may have a Domain",
    file: "src/internal/config/cookieRules.ts",
    find: "    needs(!rule.host || domain === undefined, \"without Domain\")\n",
    replace: ""
  },
  {
    row: "F4",
    what: "Partitioned goes without Secure",
    file: "src/internal/config/cookieRules.ts",
    find: "  check(secure || !partitioned, \"partitioned\", `Partitioned ${needsSecure}`)\n",
    replace: ""
  },
  {
    row: "F4",
    what: "__Http- goes without HttpOnly",
    file: "src/internal/config/cookieRules.ts",
    find: "needs(!rule.http || httpOnly,",
    replace: "needs(!rule.http || !rule.host || httpOnly,"
  },
  {
    row: "F4",
    what: "1,025 bytes of Path are taken",
    file: "src/internal/config/cookieRules.ts",
    find: "if (path.length > maxAttributeBytes)",
    replace: "if (path.length > maxAttributeBytes + 1)"
  },
  {
    row: "F4",
    what: "401 days are taken",
    file: "src/internal/config/resolveOptions.ts",
    find: "duration(between(1000, maxLifeMillis),",
    replace: "duration(between(1000, maxLifeMillis + day),"
  },
  {
    row: "F4",
    what: "a semicolon in a Path is taken",
    file: "src/internal/config/cookieRules.ts",
    find: "/^[\\x20-\\x3a\\x3c-\\x7e]*$/",
    replace: "/^[\\x20-\\x7e]*$/"
  },
  {
    row: "F5",
    what: "an insert on disabled sessions does nothing, quietly",
    file: "src/internal/request/disabled.ts",
    find: "insert: () => fail",
    replace: "insert: () => Effect.void"
  },
  {
    row: "F5",
    what: "sessions are not switched off",
    file: "src/internal/http/requestContext.ts",
    find: "    if (!store.config.enable) return RequestFiber.provide(fiber, app, RequestContext, disabled)\n",
    replace: ""
  },
  {
    row: "F6",
    what: "the cookie is not HttpOnly by default",
    file: "src/internal/config/resolveOptions.ts",
    find: "httpOnly = true,",
    replace: "httpOnly = false,"
  },
  {
    row: "F6",
    what: "the cookie is not Secure by default",
    file: "src/internal/config/resolveOptions.ts",
    find: "secure = true }",
    replace: "secure = false }"
  },
  {
    row: "F6",
    what: "SameSite is Strict by default",
    file: "src/internal/config/resolveOptions.ts",
    find: "sameSite = \"lax\",",
    replace: "sameSite = \"strict\","
  },
  {
    row: "F6",
    what: "the default name is __Host- with a Domain too",
    file: "src/internal/config/cookieRules.ts",
    find: "path === \"/\" && domain === undefined ?",
    replace: "path === \"/\" ?"
  },
  {
    row: "F6",
    what: "nobody warns of a cookie that scripts can read",
    file: "src/internal/config/warnings.ts",
    find: "if (!config.httpOnly) {",
    replace: "if (!config.httpOnly && !config.secure) {"
  },
  {
    row: "F6",
    what: "a key with 7 distinct bytes is not weak",
    file: "src/internal/cookie/keyMaterial.ts",
    find: "const fewDistinct = 8",
    replace: "const fewDistinct = 7"
  },
  {
    row: "C9",
    what: "modify answers on a session that has ended",
    file: "src/internal/request/modifying.ts",
    find: "      endedElsewhere(parts)\n      return failEnded\n",
    replace:
      "      endedElsewhere(parts)\n      return map(apply(modification, undefined), ({ value }) => modified(value))\n"
  },
  {
    row: "M9",
    what: "CORS behind the session overwrites Vary",
    file: "src/internal/http/requestContext.ts",
    find: "? RequestFiber.keepLast(within, owned)",
    replace: "? within"
  },
  {
    row: "M9",
    what: "a CDN may store the cookie",
    file: "src/internal/http/setCookie.ts",
    find: "cdnHeaders.some((name) => name in headers) ? Headers.remove(headers, cdnHeaders) : headers",
    replace: "headers"
  },
  {
    row: "M11",
    what: "groups of routes share the first one's store",
    file: "src/internal/http/routeMiddleware.ts",
    find: "layer: Layer.fresh(middleware.layer as AnyLayer)",
    replace: "layer: middleware.layer as AnyLayer"
  },
  {
    row: "R3",
    what: "a web Response loses a cookie of the same name with another Path",
    file: "src/internal/http/webResponse.ts",
    find: "cookies[isTaken ? keyOf(cookie) : cookie.name] = cookie",
    replace: "cookies[cookie.name] = cookie"
  },
  {
    row: "C11",
    what: "what changed before a WebSocket opened is lost",
    file: "src/internal/request/requestSession.ts",
    find: "if (!needsCookie) return Effect.asVoid(save(this, now, undefined))\n",
    replace: "if (!needsCookie) return Effect.void\n"
  },
  {
    row: "M5",
    what: "an unhandled error of the session is not logged",
    file: "src/SessionError.ts",
    find: "Effect.zipRight(Effect.logError(error.message), respond500)",
    replace: "respond500"
  },
  {
    row: "E1",
    what: "a sign-in from the future is fresh",
    file: "src/RequestContext.ts",
    find: "age >= -clockSkewMillis && age <= millis",
    replace: "age <= millis",
    tests: "test/Sessions.test.ts"
  },
  {
    row: "S9",
    what: "a renewal leaves no mark",
    file: "src/internal/memory/backend.ts",
    find: "    if (successor !== undefined) table.putMark(successor, now)\n",
    replace: ""
  },
  {
    row: "S9",
    what: "a logout with an old id stops at its mark",
    file: "src/internal/server/records.ts",
    find: "        return endChain(Successor.idOf(removed.successor), owner, now, step + 1)\n",
    replace: "        return Effect.succeed(undefined)\n"
  },
  {
    row: "S9",
    what: "a write with an old id starts a new session",
    file: "src/internal/server/serverStore.ts",
    find: "if (moved === undefined) return Effect.succeed(ended)",
    replace: "if (moved === undefined) return createUnseen(patch, now)"
  },
  {
    row: "S9",
    what: "what a request with an old id inserts after a read starts a new session",
    file: "src/internal/request/stored.ts",
    find: "asked.saved === undefined && result.reason !== \"Renewed\" ? absent : ended",
    replace: "asked.saved === undefined ? absent : ended"
  },
  {
    row: "S9",
    what: "the late use of an old id is not counted",
    file: "src/internal/events/oldId.ts",
    find: "  Happened.oldIdUsed(events, now, successor, id)\n",
    replace: ""
  },
  {
    row: "S9",
    what: "old ids are remembered although there is no grace",
    file: "src/internal/server/renew.ts",
    find:
      "graceMillis === 0 ? undefined : {\n      id: automatic ? Successor.leading(oldToken, token, id) : id,\n      expiresAt: now + graceMillis",
    replace:
      "graceMillis === Infinity ? undefined : {\n      id: automatic ? Successor.leading(oldToken, token, id) : id,\n      expiresAt: now + (graceMillis || 60_000)"
  },
  {
    row: "C5",
    what: "a flush ends only the first session that the request carries",
    file: "src/internal/request/stored.ts",
    find: "return known === undefined ? endings : [known, ...endings]",
    replace: "return known === undefined ? endings.slice(0, 1) : [known]"
  },
  {
    row: "S5",
    what: "the session of a user goes before those of visitors",
    file: "src/internal/memory/recency.ts",
    find: "if (records.has(slot, flagOwner)) return this.owned",
    replace: "if (records.has(slot, flagOwner)) return this.waiting"
  },
  {
    row: "S5",
    what: "marks of renewals stay longer than sessions",
    file: "src/internal/memory/recency.ts",
    find: "if (records.has(slot, flagMark)) return this.marks",
    replace: "if (records.has(slot, flagMark)) return this.owned"
  },
  {
    row: "S7",
    what: "the User-Agent is kept whole",
    file: "src/internal/request/userAgent.ts",
    find: "if (userAgent === undefined || userAgent.length <= userAgentLength) return userAgent",
    replace: "if (userAgent !== \"\") return userAgent"
  },
  {
    row: "S7",
    what: "the owner of a new session does not count",
    file: "src/internal/server/serverStore.ts",
    find: "Data.totalBytes(patch.set) + ownerSize(owner)",
    replace: "Data.totalBytes(patch.set)"
  },
  {
    row: "S7",
    what: "the owner that a sign-in adds to a session does not count",
    file: "src/internal/server/renew.ts",
    find: "tooLarge(size + ownerSize(renewal.owner))",
    replace: "tooLarge(size)"
  },
  {
    row: "M5",
    what: "a failed commit is logged twice",
    file: "src/internal/http/respond.ts",
    find: "  Reported.has(error)\n",
    replace: "  Reported.has(error) && false\n"
  },
  {
    row: "M5",
    what: "each failed call of a request has a line",
    file: "src/internal/server/reportFailure.ts",
    find: "if (request !== undefined && window.requests.has(request)) return failed\n",
    replace: ""
  },
  {
    row: "M5",
    what: "an outage floods the log",
    file: "src/internal/server/reportFailure.ts",
    find: "if (window.lines < maxLines) {",
    replace: "if (window.lines < Infinity) {"
  },
  {
    row: "M5",
    what: "the summary of an outage carries the id of a request",
    file: "src/internal/edition/logs.ts",
    find: "    Effect.locally(FiberRef.currentLogAnnotations, HashMap.empty()),\n",
    replace: ""
  },
  {
    row: "S10",
    what: "a ping does not ask the backend",
    file: "src/internal/server/serverStore.ts",
    find: "(now) => Effect.asVoid(backend.find(nobody, now))",
    replace: "() => Effect.void"
  },
  {
    row: "M8",
    what: "the first seal that opens is the session, not the newest",
    file: "src/internal/cookie/cookieStore.ts",
    find: "found.findIndex(({ session }) => !isOlder(loaded.session, session))",
    replace: "-1"
  },
  {
    row: "M8",
    what: "of two seals that were refreshed at once, the one that was created earlier is the session",
    file: "src/internal/cookie/cookieStore.ts",
    find: "? a.createdAt < b.createdAt :",
    replace: "? false :"
  },
  {
    row: "M3",
    what: "the cookies of former scopes stay in the browser",
    file: "src/internal/http/respond.ts",
    find: "withFormer(withCookie(response.cookies, cookie), cookies.former)",
    replace: "withCookie(response.cookies, cookie)"
  },
  {
    row: "M10",
    what: "the removal of a former cookie has the present domain",
    file: "src/internal/http/setCookie.ts",
    find: "const { domain: _, ...others } = attributes",
    replace: "const others = attributes"
  },
  {
    row: "F4",
    what: "the present scope is accepted among the former ones",
    file: "src/internal/config/cookieRules.ts",
    find: "if (path === present.path && domain?.toLowerCase() === present.domain?.toLowerCase()) {",
    replace: "if (path === present.path && domain === present.domain) {"
  },
  {
    row: "K7",
    what: "a cookie that is replayed is warned of each time",
    file: "src/internal/cookie/cookieStore.ts",
    find: "{ ...best, warning: limited(warning, warning, now) }",
    replace: "best"
  },
  {
    row: "K7",
    what: "the warnings that were left out are not counted",
    file: "src/internal/store/limited.ts",
    find: "    window.leftOut++\n",
    replace: ""
  },
  {
    row: "S9",
    what: "each use of an old id is a line of the log",
    file: "src/internal/server/serverStore.ts",
    find: "limited(\"Renewed\", text, now)",
    replace: "text"
  },
  {
    row: "S6",
    what: "a record of a newer format is warned of at each read",
    file: "src/internal/server/serverStore.ts",
    find: "limited(\"NewerFormat\", warning, now)",
    replace: "warning"
  },
  {
    row: "F6",
    what: "two stores of one app under one name start without a word",
    file: "src/internal/layers/resolved.ts",
    find: "if (yield* SameCookie.isSecond(config))",
    replace: "if (false as boolean)"
  },
  {
    row: "F6",
    what: "a store that is gone still counts",
    file: "src/internal/config/sameCookie.ts",
    find: "() => add(-1)",
    replace: "() => add(0)"
  },
  {
    row: "F6",
    what: "cookies of different paths count as one",
    file: "src/internal/config/sameCookie.ts",
    find: "[name, domain, path]",
    replace: "[name, domain]"
  },
  {
    row: "F7",
    what: "the table is created without looking whether it exists, which needs more rights",
    file: "src/internal/sql/table.ts",
    find: "isThere: pgHas(schema, name),",
    replace: "isThere: undefined,"
  },
  {
    row: "F7",
    what: "every store has the same table, whatever its name is",
    file: "src/internal/sql/table.ts",
    find: "const sessions = qualify(name)",
    replace: "const sessions = qualify(\"effect_sessions\")"
  },
  {
    row: "X1",
    what: "a PUT passes as a safe method",
    file: "src/internal/csrf/decide.ts",
    find: "\"OPTIONS\", \"TRACE\"]",
    replace: "\"OPTIONS\", \"TRACE\", \"PUT\"]"
  },
  {
    row: "X1",
    what: "an OPTIONS is refused",
    file: "src/internal/csrf/decide.ts",
    find: "\"HEAD\", \"OPTIONS\", \"TRACE\"]",
    replace: "\"HEAD\", \"TRACE\"]"
  },
  {
    row: "X1",
    what: "what the app exempts is refused",
    file: "src/internal/http/csrf.ts",
    find: " || policy.exempt(request)) return",
    replace: ") return"
  },
  {
    row: "X2",
    what: "same-site passes",
    file: "src/internal/csrf/decide.ts",
    find: "isTrusted ? allowed(\"TrustedOrigin\") : refused(\"SameSite\")",
    replace: "allowed(\"TrustedOrigin\")"
  },
  {
    row: "X2",
    what: "none is refused",
    file: "src/internal/csrf/decide.ts",
    find: "    case \"none\": // the user's own doing: an address that was typed, a bookmark\n",
    replace: ""
  },
  {
    row: "X2",
    what: "a cross-site request of a trusted origin is refused",
    file: "src/internal/csrf/decide.ts",
    find: "isTrusted ? allowed(\"TrustedOrigin\") : refused(\"CrossSite\")",
    replace: "refused(\"CrossSite\")"
  },
  {
    row: "X2",
    what: "an unknown value of Sec-Fetch-Site counts as same-origin",
    file: "src/internal/csrf/decide.ts",
    find: "    case \"same-origin\":\n",
    replace:
      "    default:\n      if (site === undefined) break\n      return allowed(\"Site\")\n    case \"same-origin\":\n"
  },
  {
    row: "X3",
    what: "an origin passes whose host ends with the app's",
    file: "src/internal/csrf/origins.ts",
    find: "return origin.slice(end + \"://\".length) === (sent",
    replace: "return origin.slice(end + \"://\".length).endsWith(sent"
  },
  {
    row: "X3",
    what: "the default port counts",
    file: "src/internal/csrf/origins.ts",
    find: "sent.endsWith(port) ? sent.slice(0, -port.length) : sent",
    replace: "sent"
  },
  {
    row: "X3",
    what: "a trusted origin may have a wildcard",
    file: "src/internal/csrf/origins.ts",
    find: "[^\\s/?#@*]+",
    replace: "[^\\s/?#@]+"
  },
  {
    row: "X3",
    what: "X-Forwarded-Host is believed",
    file: "src/internal/http/csrf.ts",
    find: "host: request.headers[\"host\"]",
    replace: "host: request.headers[\"x-forwarded-host\"] ?? request.headers[\"host\"]"
  },
  {
    row: "X3",
    what: "a web request without a Host header has no host",
    file: "src/internal/http/csrf.ts",
    find: " ?? hostOf(request.source)",
    replace: ""
  },
  {
    row: "X4",
    what: "a handshake is a safe GET",
    file: "src/internal/csrf/decide.ts",
    find: "safeMethods.has(method) && !handshake",
    replace: "safeMethods.has(method)"
  },
  {
    row: "X4",
    what: "a handshake of the origin null opens",
    file: "src/internal/csrf/decide.ts",
    find: "return origin === undefined ? allowed(\"NoBrowser\") : refused(\"OtherOrigin\")",
    replace: "return allowed(\"NoBrowser\")"
  },
  {
    row: "X4",
    what: "a handshake without an origin asks for a token",
    file: "src/internal/csrf/decide.ts",
    find: "if (!handshake) return unknown\n",
    replace: "if (!handshake || origin === undefined) return unknown\n"
  },
  {
    row: "X5",
    what: "the origin null is another origin",
    file: "src/internal/csrf/decide.ts",
    find: "origin !== undefined && origin !== \"null\"",
    replace: "origin !== undefined"
  },
  {
    row: "X5",
    what: "no field of a form is read",
    file: "src/internal/http/csrf.ts",
    find: "if (!isForm(request)) return",
    replace: "if (isForm(request)) return"
  },
  {
    row: "X5",
    what: "the header does not count",
    file: "src/internal/http/csrf.ts",
    find: "if (inHeader !== undefined) return Effect.succeed(inHeader)\n",
    replace: ""
  },
  {
    row: "X5",
    what: "a mounted router reads the body a second time",
    file: "src/internal/http/body.ts",
    find: "  keepText(request)\n  return request.urlParamsBody",
    replace: "  return request.urlParamsBody"
  },
  {
    row: "X5",
    what: "a body of any length is read",
    file: "src/internal/http/csrf.ts",
    find: "?? 0) > limit\n",
    replace: "?? 0) > limit * 1000\n"
  },
  {
    row: "X5",
    what: "the app's own limit of a body does not count",
    file: "src/internal/http/body.ts",
    find: "onSome: Number",
    replace: "onSome: () => undefined"
  },
  {
    row: "X5",
    what: "a request without a token passes",
    file: "src/internal/csrf/secret.ts",
    find: "if (text === undefined) return \"NoToken\"",
    replace: "if (text === undefined) return \"Right\""
  },
  {
    row: "X6",
    what: "all tokens of a secret are alike",
    file: "src/internal/csrf/token.ts",
    find: "const mask = bytesOf(Random.sid())",
    replace: "const mask = bytesOf(\"AAAAAAAAAAAAAAAAAAAAAA\")"
  },
  {
    row: "X6",
    what: "any token is right",
    file: "src/internal/csrf/token.ts",
    find: "return timingSafeEqual(",
    replace: "return !timingSafeEqual("
  },
  {
    row: "X6",
    what: "a secret that is no secret is matched",
    file: "src/internal/csrf/token.ts",
    find: " || expected.length !== length",
    replace: ""
  },
  {
    row: "X6",
    what: "a renewal keeps the secret",
    file: "src/internal/request/draft.ts",
    find: "    for (const name of EndsWithId.names) this.remove(name, stored)\n",
    replace: ""
  },
  {
    row: "X6",
    what: "a sign-in keeps the secret that its own request has made",
    file: "src/internal/request/endsWithId.ts",
    find: "names.filter((name) => signsIn || !content.set.has(name))",
    replace: "names.filter((name) => !content.set.has(name))"
  },
  {
    row: "X6",
    what: "a sign-in keeps the secret",
    file: "src/internal/request/decide.ts",
    find: "const content = renew ? EndsWithId",
    replace: "const content = marks.renew ? EndsWithId"
  },
  {
    row: "X6",
    what: "a renewal takes the secret along that another request has made",
    file: "src/internal/request/decide.ts",
    find: "const content = renew ? EndsWithId",
    replace: "const content = marks.owner !== undefined ? EndsWithId"
  },
  {
    row: "X6",
    what: "a sign-in without a session keeps the secret of its own request",
    file: "src/internal/request/decide.ts",
    find: "marks.owner === undefined ? content : EndsWithId.end(content, true)",
    replace: "content"
  },
  {
    row: "X6",
    what: "two pages make two secrets",
    file: "src/internal/csrf/secret.ts",
    find: "Option.getOrElse(current, () => fresh)",
    replace: "fresh"
  },
  {
    row: "X6",
    what: "the page of a session that has ended fails",
    file: "src/internal/csrf/secret.ts",
    find: "Effect.catchTag(\"SessionEnded\", () => Effect.succeed(fresh))",
    replace: "Effect.orDie"
  },
  {
    row: "X7",
    what: "the client learns the reason",
    file: "src/SessionError.ts",
    find: "return withHidden(new CsrfRefused(), \"reason\", reason)",
    replace: "return Object.assign(new CsrfRefused(), { reason })"
  },
  {
    row: "X7",
    what: "a refusal is logged as a warning",
    file: "src/internal/http/csrf.ts",
    find: "Effect.logDebug(\"refused",
    replace: "Effect.logWarning(\"refused"
  },
  {
    row: "X7",
    what: "a refusal is not counted",
    file: "src/internal/http/csrf.ts",
    find: "    Metrics.csrfRefused(reason)\n",
    replace: ""
  },
  {
    row: "X7",
    what: "the handler of a refused request runs",
    file: "src/Csrf.ts",
    find: "Effect.zipRight(checked, app)",
    replace: "Effect.zipLeft(app, checked)"
  },
  {
    row: "X7",
    what: "the OpenAPI document lacks the 403",
    file: "src/RequestContextApi.ts",
    find: "  Schema.Union(CsrfRefused, SessionStoreError)",
    replace: "  Schema.Union(SessionStoreError, SessionStoreError)"
  },
  {
    row: "X8",
    what: "the global middleware of an HttpLayerRouter takes no options",
    file: "src/Csrf.ts",
    find: "const makeGlobal = (options: Options) => {\n  const supplied = supply(policyOf(options))",
    replace: "const makeGlobal = (_options: Options) => {\n  const supplied = standard"
  },
  {
    row: "X8",
    what: "the middleware of an HttpApi takes no options",
    file: "src/RequestContextApi.ts",
    find: "CsrfCheck.checkApi(options)",
    replace: "CsrfCheck.checkApi({ exempt: options.exempt })"
  },
  {
    row: "X8",
    what: "the middleware of HttpApp compiles without the session's",
    file: "src/Csrf.ts",
    find: "): HttpApp.Default<E | CsrfRefused | SessionStoreError, R | RequestContext> => standard(app)",
    replace: "): HttpApp.Default<E | CsrfRefused | SessionStoreError, R> => standard(app) as never",
    kind: "types"
  },
  {
    row: "L1",
    what: "messages are taken twice",
    file: "src/internal/flash/messages.ts",
    find: "[Option.getOrElse(current, () => []), Option.none()]",
    replace: "[Option.getOrElse(current, () => []), current]"
  },
  {
    row: "L1",
    what: "the newest message comes first",
    file: "src/internal/flash/messages.ts",
    find: "[...Option.getOrElse(current, () => []), message]",
    replace: "[message, ...Option.getOrElse(current, () => [])]"
  },
  {
    row: "L1",
    what: "looking at messages takes them",
    file: "src/Flash.ts",
    find: "Effect.flatMap(RequestContext, (context) => Messages.peek(context, flash.list))",
    replace: "Effect.flatMap(RequestContext, (context) => Effect.orDie(Messages.take(context, flash.list)))"
  },
  {
    row: "L2",
    what: "a renewal drops the messages",
    file: "src/internal/request/endsWithId.ts",
    find: "const names: ReadonlyArray<string> = [csrfSecret]",
    replace: "const names: ReadonlyArray<string> = [csrfSecret, \"effect-session/Flash/notice\"]"
  },
  {
    row: "L2",
    what: "a message is saved with the response alone",
    file: "src/internal/flash/messages.ts",
    find:
      "  const append = context.modify(\n    key,\n    (current) => [undefined, Option.some([...Option.getOrElse(current, () => []), message].slice(-max))]\n  )",
    replace:
      "  const append = Effect.flatMap(context.get(key), (current) =>\n    Effect.zipRight(context.clear, context.insert(key, [message].slice(-max))))"
  },
  {
    row: "L3",
    what: "a prefetch takes messages",
    file: "src/Flash.ts",
    find: "request._tag === \"Some\" && isUnseen(request.value)",
    replace: "request._tag === \"None\" && isUnseen(request as never)"
  },
  {
    row: "L3",
    what: "a prerender takes messages",
    file: "src/internal/request/prefetch.ts",
    find: "prefetch\\s*(;|$)",
    replace: "prefetch\\s*$"
  },
  {
    row: "L3",
    what: "a HEAD takes messages",
    file: "src/internal/flash/unseen.ts",
    find: "facts.method === \"HEAD\"",
    replace: "facts.method === \"TRACE\""
  },
  {
    row: "L3",
    what: "the older header of a prefetch does not count",
    file: "src/internal/request/prefetch.ts",
    find: "  || prefetch.test(headers[\"purpose\"] ?? \"\")\n",
    replace: ""
  },
  {
    row: "L4",
    what: "two tabs take the same message",
    file: "src/internal/flash/messages.ts",
    find: "const all = context.modify(key, (current) => [Option.getOrElse(current, () => []), Option.none()])",
    replace: "const all = Effect.map(context.remove(key), Option.getOrElse((): ReadonlyArray<A> => []))"
  },
  {
    row: "L4",
    what: "taking fails where the session has ended",
    file: "src/internal/flash/messages.ts",
    find: "Effect.catchTag(all, \"SessionEnded\", () => Effect.succeed([]))",
    replace: "Effect.orDie(all)"
  },
  {
    row: "L4",
    what: "adding fails where the session has ended",
    file: "src/internal/flash/messages.ts",
    find: "    Effect.catchTag(\"SessionEnded\", () => Effect.void)\n",
    replace: "    Effect.catchTag(\"SessionEnded\", (error) => Effect.die(error))\n"
  },
  {
    row: "L5",
    what: "taking asks for a change where there are no messages",
    file: "src/internal/flash/messages.ts",
    find: "      Option.isNone(current)\n        ? Effect.succeed([])\n        : ",
    replace: "      "
  },
  {
    row: "L6",
    what: "secrets are kept",
    file: "src/internal/flash/form.ts",
    find: ".filter(([name]) => !secrets.has(name))",
    replace: ""
  },
  {
    row: "L6",
    what: "errors repeat the input",
    file: "src/internal/edition/schema.ts",
    find: "return end < 0 ? message : message.slice(0, end)",
    replace: "return message"
  },
  {
    row: "L6",
    what: "a form that is too large fails",
    file: "src/Flash.ts",
    find:
      "return Effect.catchTag(keep(Form.inputOf(failure.input, form.secrets)), \"SessionTooLarge\", () => keep([]))",
    replace: "return keep(Form.inputOf(failure.input, form.secrets))"
  },
  {
    row: "L6",
    what: "the first failure of a form is kept",
    file: "src/Flash.ts",
    find: "Schema.Array(Form.Failed)), max: 1 }",
    replace: "Schema.Array(Form.Failed)), max: 2 }"
  },
  {
    row: "L7",
    what: "messages pile up",
    file: "src/internal/flash/messages.ts",
    find: ".slice(-max)",
    replace: ""
  },
  {
    row: "L7",
    what: "a message that cannot be read stops the page",
    file: "src/internal/flash/messages.ts",
    find: "    Effect.catchIf(isUnreadable, (error) => Effect.as(discard(context, list, error), []))\n",
    replace: "    Effect.catchIf(isUnreadable, (error) => Effect.die(error))\n"
  },
  {
    row: "L7",
    what: "a message that cannot be read stops a new one",
    file: "src/internal/flash/messages.ts",
    find: "    Effect.catchIf(isUnreadable, (error) => Effect.zipRight(discard(context, list, error), append)),\n",
    replace: ""
  },
  {
    row: "L7",
    what: "messages that cannot be read are dropped silently",
    file: "src/internal/flash/messages.ts",
    find: "Effect.logWarning(\"dropped",
    replace: "Effect.logDebug(\"dropped"
  },
  {
    row: "X7",
    what: "spans show the header of a token",
    file: "src/internal/edition/layers.ts",
    find: "(names) => [...names, header]",
    replace: "(names) => names"
  },
  {
    row: "M9",
    what: "CORS behind the one-line middleware overwrites Vary",
    file: "src/internal/http/requestContext.ts",
    find: "Id.RequestId>(RequestFiber.keepLast(within, owned))",
    replace: "Id.RequestId>(within)"
  },
  {
    row: "M11",
    what: "the one-line middleware begins a second session inside another one",
    file: "src/internal/http/requestContext.ts",
    find: "|| RequestFiber.find(fiber, request, isAnyone) !== undefined",
    replace: ""
  },
  {
    row: "R2",
    what: "with the one-line middleware the log lines have no id",
    file: "src/internal/http/requestContext.ts",
    find: "        Id.annotation(fiber, begun),\n",
    replace: ""
  },
  {
    row: "F5",
    what: "with the one-line middleware a session that is disabled begins",
    file: "src/internal/http/requestContext.ts",
    find: "!store.config.enable || serviceIn(currentContext, Id.RequestId)",
    replace: "serviceIn(currentContext, Id.RequestId)"
  },
  {
    row: "F8",
    what: "a secret that is not set starts with no key at all",
    file: "src/internal/config/environment.ts",
    find: "mistakes.push({ path: name, message: noSecret })",
    replace: "rings.push(KeyRing.generate as never)"
  },
  {
    row: "F8",
    what: "an older secret seals",
    file: "src/internal/config/environment.ts",
    find: "for (const name of [current, ...(next === undefined ? [] : [next]), ...previous]) {",
    replace: "for (const name of [...previous, current]) {"
  },
  {
    row: "F8",
    what: "mistakes in the options hide those in the secrets",
    file: "src/internal/layers/stores.ts",
    find: "...(ring === undefined ? keys as ReadonlyArray<Mistake> :",
    replace: "...(ring === undefined ? (options.expiry === undefined ? keys as ReadonlyArray<Mistake> : []) :"
  },
  {
    row: "F9",
    what: "layerDevelopment starts in production",
    file: "src/internal/layers/stores.ts",
    find: "=== \"production\" ? [inProduction] : []",
    replace: "=== \"prod\" ? [inProduction] : []"
  },
  {
    row: "F9",
    what: "the cookie of layerDevelopment is Secure",
    file: "src/internal/layers/stores.ts",
    find: "{ ...options, secure: false }",
    replace: "{ ...options }"
  },
  {
    row: "V1",
    what: "a session of a subject opens without revocation",
    file: "src/internal/cookie/payload.ts",
    find: "signsIn ? read(text, prefix.owned.length, true) : needsRevocation",
    replace: "read(text, prefix.owned.length, true)",
    tests: "test/revocation/stores.test.ts"
  },
  {
    row: "V1",
    what: "the subject does not count into the size",
    file: "src/internal/cookie/cookieStore.ts",
    find: "owner === undefined ? overhead : payload.overhead(prefix, owner)",
    replace: "overhead",
    tests: "test/revocation/stores.test.ts"
  },
  {
    row: "V1",
    what: "a change of the session signs the subject out",
    file: "src/internal/cookie/cookieStore.ts",
    find: "sealedOwner(owner ?? previous?.owner)",
    replace: "sealedOwner(owner)",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V2",
    what: "an id is denied only as long as the cookie at hand lives",
    file: "src/internal/cookie/revocable.ts",
    find: "Math.min(createdAt + (config.absoluteMillis ?? Infinity), now + maxLifeMillis)",
    replace: "(now + config.idleMillis)",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V2",
    what: "a flush ends the session only in the browser",
    file: "src/internal/request/requestSession.ts",
    find: "() => map(this.endAll(now), () => flushed(this))",
    replace: "() => Effect.sync(() => flushed(this))",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V2",
    what: "after the response's head, a flush of a revocable cookie is refused",
    file: "src/internal/request/requestSession.ts",
    find: "if (this.store.revocable) {",
    replace: "if (this.store.kind === \"server\") {",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V2",
    what: "a denied id opens nevertheless",
    file: "src/internal/cookie/revocable.ts",
    find: "if (ofId !== undefined) return whyDenied(found.id, ofId, now)",
    replace: "if (ofId !== undefined && ofId.survivor !== undefined) return whyDenied(found.id, ofId, now)",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V3",
    what: "of two renewals at once both win",
    file: "src/internal/cookie/revocable.ts",
    find: "(earlier) => earlier === undefined ? saved : ended",
    replace: "() => saved",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V3",
    what: "a logout does not follow the renewal",
    file: "src/internal/cookie/revocable.ts",
    find: "return endChain(earlier.survivor, lastInstant(now, now), now, step + 1)",
    replace: "return Effect.void",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V4",
    what: "the session that is spared ends when it is renewed",
    file: "src/internal/cookie/revocable.ts",
    find: "? { ...owner, boundAt: denial.at + 1 }",
    replace: "? owner",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V4",
    what: "a sign-in after revokeAll is over at once",
    file: "src/internal/cookie/revocable.ts",
    find: "boundAt: Math.max(now, (denial?.at ?? 0) + 1)",
    replace: "boundAt: now",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V4",
    what: "clocks must not differ",
    file: "src/internal/cookie/revocable.ts",
    find: "at: now + toleranceMillis,",
    replace: "at: now,",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V4",
    what: "a sign-in in the millisecond of revokeAll, and before it, escapes",
    file: "src/internal/cookie/revocable.ts",
    find: "denial === undefined || owner.boundAt > denial.at",
    replace: "denial === undefined || owner.boundAt >= denial.at - toleranceMillis",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V5",
    what: "each cookie that opens is a check of its own",
    file: "src/internal/cookie/revocable.ts",
    find: "return map(revocation.check(names, now), (denials) => {",
    replace:
      "return map(names.length > 2 ? andThen(revocation.check(names, now), () => revocation.check(names, now)) : revocation.check(names, now), (denials) => {",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V6",
    what: "a full memory drops the oldest entry",
    file: "src/internal/memory/revocation.ts",
    find: "if (denials.size >= maxEntries) return full",
    replace: "if (denials.size >= maxEntries) denials.delete([...denials.keys()][0])",
    tests: "test/revocation/stores.test.ts"
  },
  {
    row: "V6",
    what: "a later denial of an id replaces the first, in Redis",
    file: "src/internal/redis/scripts.ts",
    find: "if not e or e > tonumber(now) then return old end\nend\nredis.call('SET', KEYS[1], ARGV[2]",
    replace: "if not e then return old end\nend\nredis.call('SET', KEYS[1], ARGV[2]",
    tests: "test/revocation/contract.test.ts"
  },
  {
    row: "V6",
    what: "a later denial of an id replaces the first, in SQL",
    file: "src/internal/sql/revocationTable.ts",
    find: " WHERE old.expires_at <= ?${returning}",
    replace: " WHERE ? > 0${returning}",
    tests: "test/revocation/contract.test.ts"
  },
  {
    row: "V7",
    what: "an entry that cannot be read passes",
    file: "src/internal/redis/revocation.ts",
    find: "if (match === null) throw new Error(\"not a denial\")",
    replace: "if (match === null) return { at: 0, survivor: undefined, expiresAt: 0 }",
    tests: "test/revocation/stores.test.ts"
  },
  {
    row: "V7",
    what: "a check has no time-out",
    file: "src/internal/server/guard.ts",
    find: "check: (names, now) => guard(\"check\", () => revocation.check(names, now)),",
    replace: "check: revocation.check,",
    tests: "test/revocation/memory.test.ts"
  },
  {
    row: "V8",
    what: "each process keeps the revocations under keys of its own",
    file: "src/internal/redis/revocation.ts",
    find: "      Scripts.deny,\n      prefix + name,",
    replace: "      Scripts.deny,\n      prefix + process.pid + name,",
    tests: "test/revocation/processes.test.ts"
  },
  {
    row: "N1",
    what: "a sign-in does not name the session before it",
    file: "src/internal/request/reporting.ts",
    find: "Happened.signedIn(events, now, id, owner.subject, previous)",
    replace: "Happened.signedIn(events, now, id, owner.subject)"
  },
  {
    row: "N1",
    what: "each save of a session is one that begins",
    file: "src/internal/request/reporting.ts",
    find: "const isNew = basis._tag === \"None\" || basis.token !== token",
    replace: "const isNew = true"
  },
  {
    row: "N1",
    what: "whoever has signed in before somebody else stays signed in",
    file: "src/internal/request/reporting.ts",
    find: "  Happened.signedOut(events, now, { session: previous, subject: before }, \"OtherSubject\")\n",
    replace: ""
  },
  {
    row: "N1",
    what: "the sign-out of a session that was not read has no subject",
    file: "src/internal/server/records.ts",
    find: "known !== undefined || !events.isHeard",
    replace: "known !== undefined || events.isHeard"
  },
  {
    row: "N1",
    what: "a sealed session that was not read is signed out without an event",
    file: "src/internal/cookie/cookieStore.ts",
    find: "session === undefined && events.isHeard ? openOne(token, now) : undefined",
    replace: "undefined as Loaded | undefined"
  },
  {
    row: "N2",
    what: "a revoked session is no event",
    file: "src/internal/server/subjectSessions.ts",
    find: "      if (removed === \"removed\") Happened.revoked(events, now, { session: id, subject })\n",
    replace: ""
  },
  {
    row: "N2",
    what: "the memory store's clean-up takes a mark for a session",
    file: "src/internal/memory/backend.ts",
    find: "const named = removed !== undefined && !table.isMark(slot)",
    replace: "const named = removed !== undefined"
  },
  {
    row: "N2",
    what: "the session that another one makes room for is kept under the other's id",
    file: "src/internal/memory/ids.ts",
    find: "shownWords[i] = records.get(slot, idField + i)\n  return shown.toString",
    replace: "words[i] = records.get(slot, idField + i)\n  return buffer.toString"
  },
  {
    row: "N2",
    what: "the memory store's index does not name what it evicts",
    file: "src/internal/memory/subjectIndex.ts",
    find: "    for (const id of ended) evicted?.(id)\n",
    replace: ""
  },
  {
    row: "N3",
    what: "a sign-in beyond the bound is no event",
    file: "src/internal/request/saving.ts",
    find: "    Reporting.full(parts, save.owner, now)\n",
    replace: ""
  },
  {
    row: "N3",
    what: "a request that Csrf refuses is no event",
    file: "src/internal/http/csrf.ts",
    find: "    if (context instanceof RequestSession) Reporting.refused(context, reason, Time.now(fiber))\n",
    replace: ""
  },
  {
    row: "N3",
    what: "a commit that fails is no event",
    file: "src/internal/request/requestSession.ts",
    find: "        Reporting.failed(this, failure, now)\n",
    replace: ""
  },
  {
    row: "N3",
    what: "a cookie that was changed is no event",
    file: "src/internal/request/stored.ts",
    find: "    Reporting.notFound(this.store, result, now)\n",
    replace: ""
  },
  {
    row: "N3",
    what: "an event of Csrf has the reason of another refusal",
    file: "src/internal/http/csrf.ts",
    find: "Reporting.refused(context, reason, Time.now(fiber))",
    replace: "Reporting.refused(context, \"Origin\", Time.now(fiber))"
  },
  {
    row: "N4",
    what: "an event has the id that is inside the seal",
    file: "src/internal/cookie/cookieStore.ts",
    find: "new Hub(config.name, sealedName)",
    replace: "new Hub(config.name, (sid) => sid.padEnd(43, \"A\"))"
  },
  {
    row: "N4",
    what: "an event has no request id",
    file: "src/internal/events/hub.ts",
    find: "typeof requestId === \"string\" ? { requestId } : {}",
    replace: "{}"
  },
  {
    row: "N5",
    what: "an event is made that nobody hears",
    file: "src/internal/events/happened.ts",
    find: "  if (events.isHeard) events.publish({ _tag: \"Tampered\", at, reason })",
    replace: "  events.publish({ _tag: \"Tampered\", at, reason })"
  },
  {
    row: "N5",
    what: "an event that nobody hears has its session hashed",
    file: "src/internal/events/happened.ts",
    find: "  if (events.isHeard) events.publish({ _tag: \"Created\", at, ...which })",
    replace: "  events.publish({ _tag: \"Created\", at, ...which })"
  },
  {
    row: "N6",
    what: "a flood of events without a subject takes all of the room",
    file: "src/internal/events/inbox.ts",
    find: "Math.ceil(this.capacity / 2)",
    replace: "this.capacity"
  },
  {
    row: "N6",
    what: "events wait without a bound",
    file: "src/internal/events/inbox.ts",
    find: "if (this.closed || this.waiting.length >= room) {",
    replace: "if (this.closed) {"
  },
  {
    row: "N6",
    what: "a subscriber does not learn what it has missed",
    file: "src/internal/events/inbox.ts",
    find: "if (lastDropped === undefined || this.waiting.length > 0)",
    replace: "if (lastDropped !== undefined || this.waiting.length >= 0)"
  },
  {
    row: "N6",
    what: "a handler that fails gets no further event",
    file: "src/internal/events/deliver.ts",
    find: "return line === undefined ? Effect.void : Effect.logError(line, Cause.pretty(cause))",
    replace: "return Effect.zipRight(line === undefined ? Effect.void : Effect.logError(line), Effect.interrupt)"
  },
  {
    row: "N6",
    what: "at the end of its scope a handler gets nothing any more",
    file: "src/internal/events/deliver.ts",
    find: "const emptied = withDeadline(Fiber.await(fiber), patienceMillis, () => undefined)",
    replace: "const emptied = Fiber.interruptFork(fiber)"
  },
  {
    row: "N7",
    what: "only calls that succeed are timed",
    file: "src/internal/server/guard.ts",
    find: "          onFailure: (cause) => {\n            Metrics.took(operation, performance.now() - since)\n",
    replace: "          onFailure: (cause) => {\n"
  },
  {
    row: "N7",
    what: "SQL counts expired sessions, too",
    file: "src/internal/sql/statements.ts",
    find: "WHERE expires_at > ? AND format <> ${markFormat}`)",
    replace: "WHERE expires_at > ? - 86400000 AND format <> ${markFormat}`)",
    tests: "test/events/stores.test.ts"
  },
  {
    row: "N7",
    what: "the memory store does not show how many sessions live",
    file: "src/internal/server/cleanUp.ts",
    find: "      whenDone(now)\n",
    replace: ""
  },
  {
    row: "N7",
    what: "revoked sessions are not counted",
    file: "src/internal/events/happened.ts",
    find: "  Metrics.terminated(\"Revoked\")\n",
    replace: ""
  },
  {
    row: "N8",
    what: "a call of the store is no span",
    file: "src/internal/server/guard.ts",
    find: "return Spans.isTraced(fiber) ? Spans.client(answered, `SessionStore.${operation}`, {}) : answered",
    replace: "return answered"
  },
  {
    row: "N8",
    what: "a span is made although nobody traces",
    file: "src/internal/edition/spans.ts",
    find: "  Context.get(fiber.currentDefaultServices, Tracer.Tracer) !== native",
    replace: "  Context.get(fiber.currentDefaultServices, Tracer.Tracer) !== undefined"
  },
  {
    row: "G1",
    what: "only the first secret opens sessions of express-session",
    file: "src/internal/migration/expressSession.ts",
    find: "return keys.some(",
    replace: "return keys.slice(0, 1).some("
  },
  {
    row: "G1",
    what: "sessions of express-session that are over are moved",
    file: "src/internal/migration/expressSession.ts",
    find: "return !(end > now)",
    replace: "return false"
  },
  {
    row: "G2",
    what: "only the first key opens sessions of cookie-session",
    file: "src/internal/migration/cookieSession.ts",
    find: "texts.some((key) => {",
    replace: "texts.slice(0, 1).some((key) => {"
  },
  {
    row: "G3",
    what: "a seal of iron-session never ends",
    file: "src/internal/migration/ironSession.ts",
    find: "Number(end) <= now - skewMillis",
    replace: "Number(end) <= 0"
  },
  {
    row: "G4",
    what: "every signature of the right length is right",
    file: "src/internal/migration/former.ts",
    find: "left.length === right.length && timingSafeEqual(left, right)",
    replace: "left.length === right.length"
  },
  {
    row: "G5",
    what: "the old cookie stays beside a session of ours",
    file: "src/internal/http/migration.ts",
    find: "removal.isDue = ours && !plan.keeps",
    replace: "removal.isDue = false"
  },
  {
    row: "G5",
    what: "an old cookie brings a session back that has ended",
    file: "src/internal/http/migration.ts",
    find: "if (ours) return watched",
    replace: "if (ours && plan.keeps) return watched"
  },
  {
    row: "G6",
    what: "the old cookie goes before the new session is saved",
    file: "src/internal/http/migration.ts",
    find: "Effect.map(session.commit, () => {\n            removal.isDue = !plan.keeps\n          })",
    replace: "(removal.isDue = !plan.keeps, session.commit)"
  },
  {
    row: "G6",
    what: "a look-up that hangs makes the client wait",
    file: "src/internal/http/migration.ts",
    find: "session.config.storeTimeoutMillis,\n      () => SessionStoreError",
    replace: "60_000,\n      () => SessionStoreError"
  },
  {
    row: "G7",
    what: "the old cookie goes although it is to be kept",
    file: "src/Migration.ts",
    find: "keeps: keep,",
    replace: "keeps: false,"
  },
  {
    row: "G7",
    what: "the old cookie outlives the sign-out",
    file: "src/internal/http/migration.ts",
    find: "const hasEnded = ours !== undefined && ours.value === \"\"",
    replace: "const hasEnded = false"
  },
  {
    row: "G8",
    what: "the warning shows the data",
    file: "src/Migration.ts",
    find: "Effect.logWarning(warning)",
    replace: "Effect.logWarning(warning, data)"
  },
  {
    row: "M5",
    what: "commands of node-redis wait for a connection",
    file: "src/internal/redis/nodeConnection.ts",
    find: "disableOfflineQueue: true",
    replace: "disableOfflineQueue: false",
    tests: "test/redis/server.test.ts"
  },
  {
    row: "M5",
    what: "node-redis keeps a connection that hangs",
    file: "src/internal/redis/nodeConnection.ts",
    find: "new Silence(silence, () => connection.replace())",
    replace: "new Silence(silence, () => {})",
    tests: "test/redis/server.test.ts"
  },
  {
    row: "S8",
    what: "replies of node-redis are text where bytes are expected",
    file: "src/internal/redis/nodeRedis.ts",
    find: "[bulk]: Buffer,",
    replace: "[bulk]: String,",
    tests: "test/redis/backend.test.ts"
  },
  {
    row: "S4",
    what: "unstorage makes values of the entries of the clean-up",
    file: "src/internal/keyValueStore/unstorage.ts",
    find: "const mark = \"=\"",
    replace: "const mark = \"\"",
    tests: "test/keyValueStore/unstorage.test.ts"
  },
  {
    row: "S3",
    what: "a write inside a transaction of libSQL waits for the transaction",
    file: "src/internal/sql/connections.ts",
    find: "\"@effect/sql-libsql/LibsqlClient/LibsqlTransaction\"",
    replace: "\"LibsqlTransaction\"",
    tests: "test/sql/libsql.test.ts"
  },
  {
    row: "K8",
    what: "the next key of a file is not in the ring",
    file: "src/internal/config/cookieStore.ts",
    find: "[private_key, secret, next_key, next_secret, ...previous]",
    replace: "[private_key, secret, next_key, ...previous]"
  },
  {
    row: "K8",
    what: "the next key seals at once",
    file: "src/internal/config/cookieStore.ts",
    find: "const rings = [private_key, secret, next_key, next_secret,",
    replace: "const rings = [next_key, next_secret, private_key, secret,"
  },
  {
    row: "K8",
    what: "the variable of the next secret is not read",
    file: "src/internal/config/environment.ts",
    find: "next_secret: yield* read(\"SESSION_NEXT_SECRET\"),",
    replace: "next_secret: undefined,"
  },
  {
    row: "K9",
    what: "a key opens for ever",
    file: "src/internal/cookie/keyMaterial.ts",
    find: "filter(({ endsAt }) => now < endsAt)",
    replace: "filter(({ endsAt }) => endsAt > 0)"
  },
  {
    row: "K9",
    what: "the last day ends as it begins",
    file: "src/internal/cookie/lastDay.ts",
    find: "? start + dayMillis : undefined",
    replace: "? start : undefined"
  },
  {
    row: "K9",
    what: "a key that seals may have a last day in code",
    file: "src/internal/layers/stores.ts",
    find: "sealingEnds(ring) ? [sealingKeyEnds] : []",
    replace: "[]"
  },
  {
    row: "K9",
    what: "the 30th of February is a day",
    file: "src/internal/cookie/lastDay.ts",
    find: "new Date(start).toISOString().startsWith(`${year}-${month}-${date}T`)",
    replace: "start > 0"
  },
  {
    row: "I1",
    what: "no id is renewed by itself",
    file: "src/internal/request/decide.ts",
    find: "if (!renew && marks.takesCookie && !passive &&",
    replace: "if (renew && marks.takesCookie && !passive &&"
  },
  {
    row: "I1",
    what: "an id is renewed with every request of a later period",
    file: "src/internal/store/expiry.ts",
    find: "renewals(expiry, renewEveryMillis, now) > renewals(expiry, renewEveryMillis, expiry.refreshedAt)",
    replace: "renewals(expiry, renewEveryMillis, now) > 0"
  },
  {
    row: "I1",
    what: "a write that never read renews nothing",
    file: "src/internal/request/saving.ts",
    find: "const isDue = takesCookie && basis._tag",
    replace: "const isDue = !takesCookie && basis._tag"
  },
  {
    row: "I1",
    what: "a refresh within modify skips the renewal",
    file: "src/internal/store/expiry.ts",
    find: "? withinPeriod(policy, expiry, next)",
    replace: "? next"
  },
  {
    row: "I2",
    what: "the old token leads nowhere",
    file: "src/internal/server/renew.ts",
    find: "id: automatic ? Successor.leading(oldToken, token, id) : id,",
    replace: "id,"
  },
  {
    row: "I2",
    what: "an explicit renewal leads to the new session as well",
    file: "src/internal/server/renew.ts",
    find: "id: automatic ? Successor",
    replace: "id: automatic || true ? Successor"
  },
  {
    row: "I2",
    what: "the response to an old token brings no cookie",
    file: "src/internal/request/parts.ts",
    find: "state.followed === true) answer",
    replace: "state.followed === undefined) answer"
  },
  {
    row: "I3",
    what: "a modify fails where another request has renewed the session",
    file: "src/internal/server/modify.ts",
    find: "Moved.moved(events, token, updated, now) ?? missing",
    replace: "missing"
  },
  {
    row: "I3",
    what: "each parallel copy of a sealed session gets an id of its own",
    file: "src/internal/cookie/cookieStore.ts",
    find: "automatic && former !== undefined ? nextId",
    replace: "!automatic && former !== undefined ? nextId"
  },
  {
    row: "I3",
    what: "what a request writes is lost where another one has renewed the session",
    file: "src/internal/server/serverStore.ts",
    find: "          return update(moved, save, now, true)\n",
    replace: "          return Effect.succeed(ended)\n"
  },
  {
    row: "I4",
    what: "every request is activity",
    file: "src/internal/request/facts.ts",
    find: "return !isActivity(asked)",
    replace: "return false"
  },
  {
    row: "I4",
    what: "a write that never read refreshes the session all the same",
    file: "src/internal/server/serverStore.ts",
    find: "const times = passive\n      ? patch.expiry",
    replace: "const times = !passive\n      ? patch.expiry"
  },
  {
    row: "I4",
    what: "a modify refreshes the session all the same",
    file: "src/internal/server/modify.ts",
    find: "expiry: passive\n",
    replace: "expiry: !passive\n"
  },
  {
    row: "I4",
    what: "a predicate that throws decides",
    file: "src/internal/request/facts.ts",
    find: "  } catch {\n    return false",
    replace: "  } catch {\n    return true"
  },
  {
    row: "W1",
    what: "a wrong call ends with 1",
    file: "src/internal/cli/command.ts",
    find: "new Stop(2, message)",
    replace: "new Stop(1, message)"
  },
  {
    row: "W1",
    what: "a wrong option is repeated",
    file: "src/internal/cli/run.ts",
    find: "throw misused(`has an option",
    replace: "throw misused(`${args.join(\" \")} has an option"
  },
  {
    row: "W2",
    what: "the secret has 128 bits",
    file: "src/internal/cli/keygen.ts",
    find: "randomBytes(32)",
    replace: "randomBytes(16)"
  },
  {
    row: "W3",
    what: "mistakes end with 0",
    file: "src/internal/cli/check.ts",
    find: "      code = 1\n",
    replace: "      code = 0\n"
  },
  {
    row: "W3",
    what: "a last day that is over is not mentioned",
    file: "src/internal/cli/check.ts",
    find: "endsAt <= Date.now()",
    replace: "endsAt < 0"
  },
  {
    row: "W4",
    what: "an expired session opens",
    file: "src/internal/cli/inspect.ts",
    find: "opens: !expired,",
    replace: "opens: true,"
  },
  {
    row: "W4",
    what: "a seal of somebody who has signed in does not open",
    file: "src/internal/cli/inspect.ts",
    find: "opened.text, true)",
    replace: "opened.text, false)"
  },
  {
    row: "W4",
    what: "a key opens after its last day",
    file: "src/internal/cli/inspect.ts",
    find: "if (endsAt <= now) return",
    replace: "if (endsAt <= 0) return"
  },
  {
    row: "W4",
    what: "control characters reach the terminal",
    file: "src/internal/cli/inspect.ts",
    find: "${printable(text)}",
    replace: "${text}"
  },
  {
    row: "W5",
    what: "the mode of the file changes",
    file: "src/internal/cli/replaceFile.ts",
    find: "      fchmodSync(handle, mode & 0o7777)\n",
    replace: ""
  },
  {
    row: "W5",
    what: "a link becomes a file",
    file: "src/internal/cli/replaceFile.ts",
    find: "realpathSync(file)",
    replace: "file"
  },
  {
    row: "W5",
    what: "the former key is forgotten",
    file: "src/internal/cli/rotateYaml.ts",
    find: "entries.items.push(entry)",
    replace: "entries.items.push()"
  },
  {
    row: "W6",
    what: "an id that begins with a dash is taken for an option",
    file: "src/internal/cli/run.ts",
    find: "args: joined(options, args)",
    replace: "args: [...args]"
  },
  {
    row: "W6",
    what: "expired sessions are counted",
    file: "src/internal/cli/sqlDatabase.ts",
    find: "AND expires_at > ${",
    replace: "AND expires_at > 0 * ${"
  },
  {
    row: "W6",
    what: "control characters of a User-Agent reach the terminal",
    file: "src/internal/cli/sessions.ts",
    find: "io.out(printable(`  ${",
    replace: "io.out(((text: string) => text)(`  ${"
  }
]
