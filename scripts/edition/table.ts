/**
 * What has another name or place in Effect 4: the whole table by which `rename.ts` turns the source for Effect 3 into one for
 * Effect 4. A rule that nothing needs any more fails the generator, and so does an import that the table does not know.
 */
import ts from "typescript"

export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Module {
  readonly module: string
  /** Whether a name of the barrel is a module of its own in Effect 4. */
  readonly isNamespace?: boolean
  /** What the namespace is called in Effect 4, where that is another name. */
  readonly as?: string
  readonly names?: Readonly<Record<string, string>>
}

const same = (...names: ReadonlyArray<string>): Record<string, Module> =>
  Object.fromEntries(names.map((name) => [name, { module: name }]))

const moved = (from: string, to: string, ...names: ReadonlyArray<string>): Record<string, Module> =>
  Object.fromEntries(names.map((name) => [`${from}/${name}`, { module: `${to}/${name}` }]))

/** Every module of Effect 3 that a source may import, and where Effect 4 has it. */
export const modules: Readonly<Record<string, Module>> = {
  ...same(
    "effect",
    ...[
      "Array",
      "Cause",
      "Chunk",
      "Clock",
      "Config",
      "ConfigProvider",
      "Context",
      "DateTime",
      "Deferred",
      "Duration",
      "Effect",
      "Exit",
      "Fiber",
      "Formatter",
      "Function",
      "Inspectable",
      "Layer",
      "Logger",
      "Metric",
      "Option",
      "Pipeable",
      "Predicate",
      "Random",
      "Redacted",
      "References",
      "ByteSize",
      "Schema",
      "SchemaGetter",
      "Scope",
      "Semaphore",
      "Stream",
      "Tracer",
      "Types"
    ].map((name) => `effect/${name}`),
    "effect/http/HttpIncomingMessage",
    "@effect/platform-node",
    "@effect/platform-node/NodeHttpServer",
    "@effect/platform-node/NodeRuntime",
    "@effect/platform-node/NodeFileSystem",
    "@effect/platform-node/NodePath",
    "@effect/sql-pg",
    "@effect/sql-pg/PgClient",
    "@effect/sql-mysql2",
    "@effect/sql-mysql2/MysqlClient",
    "@effect/sql-sqlite-node",
    "@effect/sql-sqlite-node/SqliteClient",
    "@effect/vitest"
  ),
  ...moved(
    "@effect/platform",
    "effect/http",
    "Cookies",
    "FetchHttpClient",
    "Headers",
    "HttpClient",
    "HttpClientRequest",
    "HttpServerRequest",
    "HttpServerRespondable",
    "HttpServerResponse"
  ),
  ...moved("@effect/platform", "effect/persistence", "KeyValueStore"),
  ...moved("@effect/sql", "effect/sql", "Migrator", "SqlClient", "SqlConnection", "SqlError"),
  ...moved("@effect/opentelemetry", "effect/observability", "Otlp"),
  ...moved("@effect/platform", "effect/http-api", "HttpApiSecurity", "OpenApi"),
  "@effect/platform": { module: "effect/http" },
  "@effect/rpc": { module: "effect/rpc" },
  "@effect/sql": { module: "effect/sql" },
  "@effect/platform/HttpApp": { module: "effect/http/HttpEffect", as: "HttpEffect" },
  "@effect/platform/HttpLayerRouter": { module: "effect/http/HttpRouter", as: "HttpRouter" },
  "effect/Either": { module: "effect/Result", as: "Result" },
  "@effect/platform-node/NodeContext": { module: "@effect/platform-node/NodeServices", as: "NodeServices" },
  "@effect/platform/Error": { module: "effect/PlatformError" },
  "effect/ConfigError": { module: "effect/Config", as: "Config" },
  "effect/FastCheck": { module: "fast-check" },
  "effect/TestClock": { module: "effect/testing/TestClock" }
}

/** Names of a module whose place in Effect 4 is another one than that of the rest: `module name`. */
export const imports: Readonly<Record<string, Module>> = {
  ...Object.fromEntries(
    [
      "HttpApi",
      "HttpApiBuilder",
      "HttpApiClient",
      "HttpApiEndpoint",
      "HttpApiGroup",
      "OpenApi"
    ]
      .map((name) => [`@effect/platform ${name}`, { module: "effect/http-api" }])
  ),
  "@effect/platform KeyValueStore": { module: "effect/persistence" },
  "@effect/platform Socket": { module: "effect/socket" },
  "@effect/platform HttpRouter": { module: "#test/platform" },
  "effect FastCheck": { module: "fast-check", isNamespace: true },
  "effect TestClock": { module: "effect/testing" }
}

/** A name that stands by itself. */
export const values: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(modules).flatMap(([module, { as }]) =>
    as === undefined ? [] : [[module.slice(module.lastIndexOf("/") + 1), as]]
  )
)

/** A name in a namespace. */
export const members: Readonly<Record<string, string>> = {
  "Logger.jsonLogger": "Logger.formatJson",
  "Logger.logfmtLogger": "Logger.formatLogFmt",
  "Logger.stringLogger": "Logger.formatSimple",
  "Logger.structuredLogger": "Logger.formatStructured",
  "Effect.mapInputContext": "Effect.updateContext",
  "HttpApiBuilder.api": "HttpApiBuilder.layer",
  "HttpLayerRouter.addHttpApi": "HttpApiBuilder.layer",
  "RpcServer.layerHttpRouter": "RpcServer.layerHttp",
  "Schema.decodeUnknown": "Schema.decodeUnknownEffect",
  "Schema.decodeUnknownEither": "Schema.decodeUnknownResult",
  "Schema.encode": "Schema.encodeEffect",
  "Inspectable.format": "Formatter.formatJson",
  "Inspectable.toJSON": "Inspectable.toJson",
  "Runtime.Runtime": "Context.Context",
  "Runtime.runFork": "Effect.runForkWith",
  "Runtime.runPromise": "Effect.runPromiseWith",
  "Runtime.runSync": "Effect.runSyncWith",
  "Effect.runtime": "Effect.context",
  "HttpApp.toWebHandlerRuntime": "HttpEffect.toWebHandlerWith",
  "HttpServerResponse.unsafeJson": "HttpServerResponse.jsonUnsafe",
  "HttpServerResponse.unsafeSetCookie": "HttpServerResponse.setCookieUnsafe",
  "HttpServer.layerContext": "HttpServer.layerServices",
  "Exit.isInterrupted": "Exit.hasInterrupts",
  "Cause.failureOption": "Cause.findErrorOption",
  "Stream.catchAll": "Stream.catch",
  "Config.integer": "Config.Int",
  "Config.duration": "Config.Duration",
  "Redacted.unsafeWipe": "Redacted.wipeUnsafe",
  "Cause.isDie": "Cause.hasDies",
  "Cause.isInterrupted": "Cause.hasInterrupts",
  "Config.redacted": "Config.Redacted",
  "Config.string": "Config.String",
  "Config.Config.Wrap": "Config.Wrap",
  "ConfigError.ConfigError": "Config.ConfigError",
  "Effect.Effect.Error": "Effect.Error",
  "Effect.Effect.Success": "Effect.Success",
  "Headers.remove": "Headers.removeMany",
  "HttpLayerRouter.unhandled": "Types.unhandled",
  "Schema.parseJson": "Schema.fromJsonString",
  "Either.getLeft": "Result.getFailure",
  "Context.GenericTag": "Context.Service",
  "Context.Tag": "Context.Key",
  "Context.unsafeGet": "Context.getUnsafe",
  "Cookies.unsafeMakeCookie": "Cookies.makeCookieUnsafe",
  "DateTime.unsafeMake": "DateTime.makeUnsafe",
  "Deferred.unsafeDone": "Deferred.doneUnsafe",
  "Duration.DurationInput": "Duration.Input",
  "Effect.Effect.Context": "Effect.Services",
  "Effect.Semaphore": "Semaphore.Semaphore",
  "Effect.async": "Effect.callback",
  "Effect.catchAll": "Effect.catch",
  "Effect.catchAllCause": "Effect.catchCause",
  "Effect.catchAllDefect": "Effect.catchDefect",
  "Effect.contextWithEffect": "Effect.contextWith",
  "Effect.either": "Effect.result",
  "Effect.fork": "Effect.forkChild",
  "Effect.forkDaemon": "Effect.forkDetach",
  "Effect.tapErrorCause": "Effect.tapCause",
  "Effect.unsafeMakeSemaphore": "Semaphore.makeUnsafe",
  "Effect.withFiberRuntime": "Effect.withFiber",
  "Effect.zipLeft": "Effect.tap",
  "Effect.zipRight": "Effect.andThen",
  "Either.Either": "Result.Result",
  "Either.isLeft": "Result.isFailure",
  "Either.isRight": "Result.isSuccess",
  "Either.left": "Result.fail",
  "Either.right": "Result.succeed",
  "Fiber.RuntimeFiber": "Fiber.Fiber",
  "Layer.Layer.Context": "Layer.Services",
  "Layer.scoped": "Layer.effect",
  "Layer.scopedDiscard": "Layer.effectDiscard",
  "Layer.scopedContext": "Layer.effectContext",
  "Layer.unwrapEffect": "Layer.unwrap",
  "Layer.unwrapScoped": "Layer.unwrap",
  "Option.fromNullable": "Option.fromNullishOr",
  "Scope.extend": "Scope.provide"
}

/** What a sentence of the documentation or of a docstring has between backticks. */
export const spans: ReadonlyArray<readonly [RegExp, string]> = [
  [/^HttpLayerRouter\b/, "HttpRouter"],
  [/^HttpApp$/, "HttpEffect"],
  [/^@effect\/platform$/, "effect"],
  [/^HttpApp\.(appendPreResponseHandler)$/, "HttpEffect.$1"],
  [/^(HttpApp\.)?toWebHandlerLayer$/, "HttpRouter.toWebHandler"],
  [/^npm run example -- /, "npm run edition:4 -- example "],
  [/^@effect\/sql$/, "effect/sql"],
  [/\bnpm start\b/, "npm run edition:4 -- start"]
]

/** A property or a method, of whatever value. */
export const methods: Readonly<Record<string, string>> = {
  left: "failure",
  onLeft: "onFailure",
  onRight: "onSuccess",
  right: "success",
  annotations: "annotate",
  currentContext: "context",
  unsafeMap: "mapUnsafe"
}

/** How a name is resolved: with the namespaces as their modules call them; undefined where it is none of Effect's. */
export type Resolve = (node: ts.Node) => string | undefined

export interface Shape {
  readonly name: string
  /** Namespaces that the new text needs. */
  readonly brings: ReadonlyArray<string>
  readonly edit: (node: ts.Node, source: ts.SourceFile, resolve: Resolve) => Edit | undefined
}

const replace = (node: ts.Node, source: ts.SourceFile, text: string): Edit => ({
  start: node.getStart(source),
  end: node.end,
  text
})

/** A call of the given function. */
const call = (
  name: string,
  edit: (node: ts.CallExpression, text: (node: ts.Node) => string) => string | undefined,
  brings: ReadonlyArray<string> = []
): Shape => ({
  name,
  brings,
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || resolve(node.expression) !== name) return undefined
    const text = edit(node, (node) => node.getText(source))
    return text === undefined ? undefined : replace(node, source, text)
  }
})

const args = (node: ts.CallExpression, text: (node: ts.Node) => string): string => node.arguments.map(text).join(", ")

/** The properties of an object literal, as texts. */
const properties = (node: ts.Node, text: (node: ts.Node) => string): Record<string, string> =>
  ts.isObjectLiteralExpression(node)
    ? Object.fromEntries(
      node.properties.flatMap((property) =>
        ts.isPropertyAssignment(property) ? [[text(property.name), text(property.initializer)]] : []
      )
    )
    : {}

/** Checks that are schemas by themselves in Effect 3, and are added to one in Effect 4. */
const checks: Readonly<Record<string, string>> = {
  int: "isInt",
  maxLength: "isMaxLength",
  minLength: "isMinLength",
  pattern: "isPattern"
}

const endpointOptions: Readonly<Record<string, string>> = {
  addError: "error",
  addSuccess: "success",
  setHeaders: "headers",
  setPath: "params",
  setPayload: "payload",
  setUrlParams: "query"
}

/** The type of a module of the same name: by itself where the source imports it, or else in its namespace. */
const named = (source: ts.SourceFile, name: string): string =>
  source.statements.some((statement) =>
      ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)
      && statement.moduleSpecifier.text.endsWith(`/${name}`)
      && statement.importClause?.namedBindings?.kind === ts.SyntaxKind.NamedImports
    )
    ? name
    : `${name}.${name}`

/** What has another form. */
export const shapes: ReadonlyArray<Shape> = [
  {
    // class A extends Context.Tag("a")<A, B>() {}
    name: "Context.Tag(…)",
    brings: [],
    edit: (node, source, resolve) => {
      if (!ts.isCallExpression(node) || !ts.isCallExpression(node.expression)) return undefined
      const tag = node.expression
      if (resolve(tag.expression) !== "Context.Tag" || node.typeArguments === undefined) return undefined
      const types = node.typeArguments.map((type) => type.getText(source)).join(", ")
      return replace(
        node,
        source,
        `Context.Service<${types}>()(${tag.arguments.map((a) => a.getText(source)).join(", ")})`
      )
    }
  },
  {
    // Config.literal("a", "b")("NAME")
    name: "Config.literal(…)(…)",
    brings: [],
    edit: (node, source, resolve) => {
      if (!ts.isCallExpression(node) || !ts.isCallExpression(node.expression)) return undefined
      if (resolve(node.expression.expression) !== "Config.literal") return undefined
      const text = (node: ts.Node) => node.getText(source)
      return replace(node, source, `Config.Literals([${args(node.expression, text)}], ${args(node, text)})`)
    }
  },
  {
    name: "HttpServerRequest.upgrade",
    brings: [],
    edit: (node, source, resolve) =>
      ts.isPropertyAccessExpression(node) && resolve(node) === "HttpServerRequest.upgrade"
        ? replace(
          node,
          source,
          `Effect.flatMap(${node.expression.getText(source)}.HttpServerRequest, ({ upgrade }) => upgrade)`
        )
        : undefined
  },
  {
    name: "address._tag === \"TcpAddress\"",
    brings: [],
    edit: (node, source) =>
      ts.isBinaryExpression(node) && ts.isPropertyAccessExpression(node.left) && node.left.name.text === "_tag"
        && ts.isStringLiteral(node.right) && node.right.text === "TcpAddress"
        ? replace(node, source, `"port" in ${node.left.expression.getText(source)}`)
        : undefined
  },
  {
    // what an exit that failed is expected to hold
    name: "cause: { error }",
    brings: [],
    edit: (node, source) => {
      if (!ts.isPropertyAssignment(node) || node.name.getText(source) !== "cause") return undefined
      if (!ts.isObjectLiteralExpression(node.initializer)) return undefined
      const isReason = node.initializer.properties.some((property) =>
        /^(error|defect)$/.test(property.name?.getText(source) ?? "")
      )
      return isReason
        ? replace(node.initializer, source, `{ reasons: [${node.initializer.getText(source)}] }`)
        : undefined
    }
  },
  {
    name: "NodeRuntime.runMain(effect, { disablePrettyLogger })",
    brings: [],
    edit: (node, source, resolve) => {
      if (!ts.isCallExpression(node) || resolve(node.expression) !== "NodeRuntime.runMain") return undefined
      const [effect, options] = node.arguments
      return options?.getText(source) === "{ disablePrettyLogger: true }"
        ? replace(node, source, `${node.expression.getText(source)}(${effect.getText(source)})`)
        : undefined
    }
  },
  call(
    "Ref.make",
    (node, text) =>
      text(node.arguments[0]) === "Cookies.empty" ? "Ref.make<ReadonlyArray<Cookies.Cookie>>([])" : undefined
  ),
  call("Effect.yieldNow", () => "Effect.yieldNow"),
  call("Effect.dieMessage", (node, text) => `Effect.die(new Error(${args(node, text)}))`),
  call(
    "Schema.Literal",
    (node, text) => node.arguments.length > 1 ? `Schema.Literals([${args(node, text)}])` : undefined
  ),
  call("Schema.Union", (node, text) =>
    node.arguments.length === 1 && ts.isArrayLiteralExpression(node.arguments[0])
      ? undefined
      : `Schema.Union([${args(node, text)}])`),
  call(
    "Logger.withMinimumLogLevel",
    (node, text) =>
      `Effect.provideService(References.MinimumLogLevel, ${
        JSON.stringify(text(node.arguments[0]).replace("LogLevel.", ""))
      })`,
    ["References.MinimumLogLevel"]
  ),
  call("Schema.UndefinedOr", (node, text) =>
    // a struct of Effect 3 takes an absent property for an undefined one
    ts.isPropertyAssignment(node.parent)
      ? `Schema.UndefinedOr(${args(node, text)}).pipe(Schema.withDecodingDefaultKey(Effect.succeed(undefined)))`
      : undefined, ["Effect.succeed"]),
  call("Fiber.interruptFork", (node, text) => `Effect.sync(() => ${text(node.arguments[0])}.interruptUnsafe())`),
  call(
    "Logger.replace",
    (node, text) =>
      text(node.arguments[0]) === "Logger.defaultLogger" ? `Logger.layer([${text(node.arguments[1])}])` : undefined
  ),
  call(
    "Logger.minimumLogLevel",
    (node, text) =>
      `Layer.succeed(References.MinimumLogLevel, ${JSON.stringify(text(node.arguments[0]).replace("LogLevel.", ""))})`,
    [
      "References.MinimumLogLevel"
    ]
  ),
  call("Effect.withConfigProvider", (node, text) => {
    const given = node.arguments.map(text)
    return `Effect.provideService(${
      [...given.slice(0, -1), "ConfigProvider.ConfigProvider", given[given.length - 1]].join(", ")
    })`
  }, ["ConfigProvider.ConfigProvider"]),
  call(
    "ConfigProvider.fromMap",
    (node, text) => `ConfigProvider.fromUnknown(Object.fromEntries(${text(node.arguments[0])}))`
  ),
  call("ConfigProvider.fromJson", (node, text) => `ConfigProvider.fromUnknown(${text(node.arguments[0])})`),
  call("Layer.setTracer", (node, text) => `Layer.succeed(Tracer.Tracer, ${args(node, text)})`, ["Tracer.Tracer"]),
  call(
    "FastCheck.fullUnicodeString",
    (node, text) =>
      `${text(node.expression).split(".")[0]}.string({ unit: "binary"${
        node.arguments.length === 0 ? "" : `, ...${text(node.arguments[0])}`
      } })`
  ),
  call("FastCheck.string16bits", (node, text) => {
    const fc = text(node.expression).split(".")[0]
    const more = node.arguments.length === 0 ? "" : `, ...${text(node.arguments[0])}`
    return `${fc}.string({ unit: ${fc}.nat({ max: 0xffff }).map((unit) => String.fromCharCode(unit))${more} })`
  }),
  {
    name: "logLevel.label",
    brings: [],
    edit: (node, source) =>
      ts.isPropertyAccessExpression(node) && /\blogLevel$/.test(node.expression.getText(source))
        && node.name.text === "label"
        ? replace(node.name, source, "toUpperCase()")
        : undefined
  },
  {
    name: "the tags of Either",
    brings: [],
    edit: (node, source) =>
      ts.isStringLiteral(node) && /^(Left|Right)( |$)/.test(node.text)
        ? replace(node, source, JSON.stringify(node.text.replace("Left", "Failure").replace("Right", "Success")))
        : undefined
  },
  {
    name: "it.scopedLive",
    brings: [],
    edit: (node, source) =>
      ts.isPropertyAccessExpression(node) && /^(it|test)$/.test(node.expression.getText(source))
        && node.name.text === "scopedLive"
        ? replace(node.name, source, "live")
        : undefined
  },
  call("Schema.Tuple", (node, text) =>
    node.arguments.length === 1 && ts.isArrayLiteralExpression(node.arguments[0])
      ? undefined
      : `Schema.Tuple([${args(node, text)}])`),
  call(
    "Schema.filter",
    (node, text) => node.arguments.length === 1 ? `Schema.check(Schema.makeFilter(${args(node, text)}))` : undefined
  ),
  ...Object.entries(checks).map(([name, is]) =>
    call(
      `Schema.${name}`,
      (node, text) => `Schema.check(Schema.${is}(${args(node, text).replace(/\bmessage: \(\) => /, "message: ")}))`
    )
  ),
  call("Effect.repeatN", (node, text) => {
    const [effect, times] = node.arguments.map(text)
    return `Effect.asVoid(Effect.repeat(${effect}, { times: ${times} }))`
  }),
  call("Effect.withClock", (node, text) => {
    const given = node.arguments.map(text)
    return `Effect.provideService(${[...given.slice(0, -1), "Clock.Clock", given[given.length - 1]].join(", ")})`
  }, ["Clock.Clock"]),
  call("Effect.timeoutFail", (node, text) => {
    const options = properties(node.arguments[node.arguments.length - 1], text)
    const given = node.arguments.slice(0, -1).map((each) => `${text(each)}, `).join("")
    return `Effect.timeoutOrElse(${given}{ duration: ${options.duration}, orElse: () => Effect.fail((${options.onTimeout})()) })`
  }),
  call("HttpApiSchema.annotations", (node, text) => {
    const { description, status } = properties(node.arguments[0], text)
    return `{ httpApiStatus: ${status}, description: ${description} }`
  }),
  {
    name: "HttpApp.Default<E, R>",
    brings: ["HttpServerRequest.HttpServerRequest", "HttpServerResponse.HttpServerResponse"],
    edit: (node, source, resolve) => {
      if (!ts.isTypeReferenceNode(node) || resolve(node.typeName) !== "HttpApp.Default") return undefined
      const [error = "never", services = "never"] = node.typeArguments?.map((type) => type.getText(source)) ?? []
      return replace(
        node,
        source,
        `Effect.Effect<${named(source, "HttpServerResponse")}, ${error}, ${services} | ${
          named(source, "HttpServerRequest")
        }>`
      )
    }
  },
  {
    // every test of Effect 4's @effect/vitest has a scope
    name: "it.scoped",
    brings: [],
    edit: (node, source) =>
      ts.isPropertyAccessExpression(node) && /^(it|test)$/.test(node.expression.getText(source))
        && node.name.text === "scoped"
        ? replace(node.name, source, "effect")
        : undefined
  },
  {
    // HttpApiEndpoint.get(name, path).addSuccess(schema)
    name: "HttpApiEndpoint.get(…).addSuccess(…)",
    brings: [],
    edit: (node, source, resolve) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined
      const endpoint = node.expression.expression
      const option = endpointOptions[node.expression.name.text]
      if (option === undefined || !ts.isCallExpression(endpoint)) return undefined
      const maker = ts.isCallExpression(endpoint.expression) ? endpoint.expression.expression : endpoint.expression
      if (!/^HttpApiEndpoint\.[a-z]+$/.test(resolve(maker) ?? "")) return undefined
      const text = (node: ts.Node) => node.getText(source)
      const [name, path, options] = endpoint.arguments
      const given = options === undefined ? {} : properties(options, text)
      // the status of an error is that of a schema that is listed, and not of a member of a union
      const listed = /(Read|Write|Any)Error$/.test(args(node, text)) ? `${args(node, text)}.members` : args(node, text)
      const all = { ...given, [option]: given[option] === undefined ? listed : `[${given[option]}, ${listed}].flat()` }
      const written = Object.entries(all).map(([name, value]) => `${name}: ${value}`).join(", ")
      return replace(node, source, `${text(endpoint.expression)}(${text(name)}, ${text(path)}, { ${written} })`)
    }
  },
  {
    // handlers.handle(name, ({ path }) => …)
    name: "handle(…, ({ path }) => …)",
    brings: [],
    edit: (node, source) => {
      if (!ts.isBindingElement(node) || node.propertyName !== undefined || node.name.getText(source) !== "path") {
        return undefined
      }
      const call = node.parent.parent.parent.parent
      return ts.isCallExpression(call) && ts.isPropertyAccessExpression(call.expression)
          && call.expression.name.text === "handle"
        ? replace(node, source, "params: path")
        : undefined
    }
  },
  {
    // HttpApiBuilder.serve(middleware).pipe(Layer.provide(api))
    name: "HttpApiBuilder.serve(…).pipe(Layer.provide(…))",
    brings: ["HttpRouter.serve"],
    edit: (node, source, resolve) => {
      if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined
      const served = node.expression.expression
      const [api, ...others] = node.arguments
      if (node.expression.name.text !== "pipe" || !ts.isCallExpression(served) || !ts.isCallExpression(api)) {
        return undefined
      }
      if (resolve(served.expression) !== "HttpApiBuilder.serve" || resolve(api.expression) !== "Layer.provide") {
        return undefined
      }
      const text = (node: ts.Node) => node.getText(source)
      const middleware = served.arguments.length === 0 ? "" : `, { middleware: ${args(served, text)} }`
      const result = `HttpRouter.serve(${args(api, text)}${middleware})`
      return replace(node, source, others.length === 0 ? result : `${result}.pipe(${others.map(text).join(", ")})`)
    }
  },
  {
    // undefined in Effect 4, and null in Effect 3, of a fiber that still runs
    name: "fiber.unsafePoll()",
    brings: [],
    edit: (node, source) =>
      ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)
        && node.expression.name.text === "unsafePoll"
        ? replace(node, source, `(${node.expression.expression.getText(source)}.pollUnsafe() ?? null)`)
        : undefined
  },
  call("Effect.withRandom", (node, text) => {
    const seed = /^Random\.make\((.*)\)$/.exec(text(node.arguments[0]))?.[1]
    return seed === undefined ? undefined : `Random.withSeed(${seed})`
  }, ["Random.withSeed"]),
  call(
    "Logger.remove",
    (node, text) => text(node.arguments[0]) === "Logger.defaultLogger" ? "Logger.layer([])" : undefined
  ),
  call(
    "Layer.map",
    (node, text) =>
      node.arguments.length === 2
        ? `Layer.flatMap(${text(node.arguments[0])}, (services) => Layer.succeedContext((${
          text(node.arguments[1])
        })(services)))`
        : undefined
  ),
  call(
    "Schema.transform",
    (node, text) => {
      const [from, to] = node.arguments.map(text)
      const { decode, encode } = properties(node.arguments[2], text)
      return `${from}.pipe(Schema.decodeTo(${to}, { decode: SchemaGetter.transform(${decode}), encode: SchemaGetter.transform(${encode}) }))`
    },
    ["SchemaGetter.transform"]
  ),
  call(
    "Schema.transformOrFail",
    (node, text) => {
      const [from, to] = node.arguments.map(text)
      const { decode, encode } = properties(node.arguments[2], text)
      return `${from}.pipe(Schema.decodeTo(${to}, { decode: SchemaGetter.transformEffect(${decode}), encode: SchemaGetter.transformEffect(${encode}) }))`
    },
    ["SchemaGetter.transformEffect"]
  ),
  {
    name: "Schema.NonNegativeInt",
    brings: [],
    edit: (node, source, resolve) =>
      ts.isPropertyAccessExpression(node) && resolve(node) === "Schema.NonNegativeInt"
        ? replace(node, source, "Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0)))")
        : undefined
  },
  {
    name: "the tag of a schema's error",
    brings: [],
    edit: (node, source) =>
      ts.isStringLiteral(node) && node.text === "ParseError" ? replace(node, source, "\"SchemaError\"") : undefined
  },
  call("HttpServerRequest.withMaxBodySize", (node, text) => {
    const bytes = /^Option\.some\((?:FileSystem\.Size\()?(.*?)\)+$/.exec(text(node.arguments[0]))?.[1]
    return `Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(${bytes}))`
  }, ["HttpIncomingMessage.MaxBodySize", "ByteSize.bytes"]),
  call("HttpIncomingMessage.withMaxBodySize", (node, text) => {
    const bytes = /^Option\.some\((?:FileSystem\.Size\()?(.*?)\)+$/.exec(text(node.arguments[0]))?.[1]
    return `Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(${bytes}))`
  }, ["HttpIncomingMessage.MaxBodySize", "ByteSize.bytes"]),
  call(
    "HttpApiBuilder.toWebHandler",
    (node, text) => `HttpRouter.toWebHandler(${args(node, text)}, { disableLogger: true })`,
    [
      "HttpRouter.toWebHandler"
    ]
  ),
  call("Layer.fail", (node, text) => `Layer.unwrap(Effect.fail(${args(node, text)}))`),
  {
    name: "Tag[\"Type\"]",
    brings: [],
    edit: (node, source) =>
      ts.isIndexedAccessTypeNode(node) && ts.isTypeReferenceNode(node.objectType)
        && node.indexType.getText(source) === "\"Type\""
        ? replace(node.indexType, source, "\"Service\"")
        : undefined
  },
  {
    name: "Schema.Schema<A, I, R>",
    brings: [],
    edit: (node, source, resolve) => {
      if (!ts.isTypeReferenceNode(node) || resolve(node.typeName) !== "Schema.Schema") return undefined
      const types = node.typeArguments?.map((type) => type.getText(source)) ?? []
      return types.length === 3
        ? replace(node, source, `Schema.Codec<${[...types, types[2]].join(", ")}>`)
        : types.length === 2
        ? replace(node, source, `Schema.Codec<${types.join(", ")}>`)
        : undefined
    }
  }
]
