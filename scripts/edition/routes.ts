/**
 * How an example of the documentation builds its app: with Effect 3 an `HttpRouter` is an effect of a response, and the middlewares
 * are in its pipe; with Effect 4 routes are layers, and so is what surrounds them. Only examples are turned by these rules; the
 * tests have a router in Effect 3's style of their own.
 */
import ts from "typescript"
import type { Edit, Resolve, Shape } from "./table.js"

const methods: Readonly<Record<string, string>> = {
  all: "*",
  del: "DELETE",
  get: "GET",
  options: "OPTIONS",
  patch: "PATCH",
  post: "POST",
  put: "PUT"
}

const replace = (node: ts.Node, source: ts.SourceFile, text: string): Edit => ({
  start: node.getStart(source),
  end: node.end,
  text
})

interface Part {
  readonly text: string
  /** A comment behind the part, in its line. */
  readonly comment: string
}

/** The arguments of a call, each with the comment in its line. */
const partsOf = (
  call: ts.CallExpression,
  source: ts.SourceFile
): ReadonlyArray<Part & { readonly node: ts.Expression }> =>
  call.arguments.map((node) => {
    const { text } = source
    const end = text[node.end] === "," ? node.end + 1 : node.end
    const comments = ts.getTrailingCommentRanges(text, end) ?? []
    return {
      node,
      text: node.getText(source),
      comment: comments.map(({ end, pos }) => ` ${text.slice(pos, end)}`).join("")
    }
  })

const listOf = (parts: ReadonlyArray<Part>): string =>
  parts.map(({ comment, text }, i) => `${text}${i < parts.length - 1 ? "," : ""}${comment}`).join("\n")

/** `Session.middleware` and `Session.middlewareWith(options)` as layers, and whatever else is around the routes. */
const layerOf = (node: ts.Expression, source: ts.SourceFile, resolve: Resolve): string | undefined => {
  const text = node.getText(source)
  if (/^\w+\.middleware(With\b|$)/.test(text)) return text.replace(".middleware", ".layerRouter")
  if (!ts.isCallExpression(node) || /^HttpRouter\./.test(resolve(node.expression) ?? "")) return undefined
  return `HttpRouter.middleware(${text}, { global: true })`
}

/** `HttpRouter.concat(pages)` is `pages`, which is a layer too. */
const routeOf = (node: ts.Expression, source: ts.SourceFile, resolve: Resolve): string =>
  ts.isCallExpression(node) && resolve(node.expression) === "HttpRouter.concat"
    ? node.arguments[0].getText(source)
    : node.getText(source)

const isEmptyRouter = (node: ts.Node, resolve: Resolve): boolean =>
  ts.isPropertyAccessExpression(node) && node.name.text === "pipe" && resolve(node.expression) === "HttpRouter.empty"

const app: Shape = {
  name: "HttpRouter.empty.pipe(…)",
  brings: ["Layer.provide", "HttpRouter.add"],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || !isEmptyRouter(node.expression, resolve)) return undefined
    const routes: Array<Part> = []
    const layers: Array<Part> = []
    for (const part of partsOf(node, source)) {
      const layer = layerOf(part.node, source, resolve)
      if (layer !== undefined) layers.push({ ...part, text: `Layer.provide(${layer})` })
      else routes.push({ ...part, text: routeOf(part.node, source, resolve) })
    }
    const all = routes.length === 0
      ? "Layer.empty"
      : routes.length === 1
      ? routes[0].text
      : `Layer.mergeAll(\n${listOf(routes)}\n)`
    return replace(node, source, layers.length === 0 ? all : `${all}.pipe(\n${listOf(layers)}\n)`)
  }
}

const route: Shape = {
  name: "HttpRouter.get(path, handler)",
  brings: ["HttpRouter.add"],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node)) return undefined
    const [, name] = /^HttpRouter\.(\w+)$/.exec(resolve(node.expression) ?? "") ?? []
    if (name === undefined || !Object.hasOwn(methods, name)) return undefined
    const given = node.arguments.map((each) => each.getText(source)).join(", ")
    return replace(node, source, `HttpRouter.add("${methods[name]}", ${given})`)
  }
}

const serve: Shape = {
  name: "HttpServer.serve(app)",
  brings: ["HttpRouter.serve"],
  edit: (node, source, resolve) =>
    ts.isCallExpression(node) && resolve(node.expression) === "HttpServer.serve"
      ? replace(node, source, `HttpRouter.serve(${node.arguments.map((each) => each.getText(source)).join(", ")})`)
      : undefined
}

const webHandler: Shape = {
  name: "HttpApp.toWebHandlerLayer(app, store)",
  brings: ["HttpRouter.toWebHandler", "Layer.provide"],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || resolve(node.expression) !== "HttpApp.toWebHandlerLayer") return undefined
    const [app, store] = node.arguments.map((each) => each.getText(source))
    return replace(node, source, `HttpRouter.toWebHandler(Layer.provide(${app}, ${store}), { disableLogger: true })`)
  }
}

/** A response is an effect of itself with Effect 3 alone. */
const response: Shape = {
  name: "() => HttpServerResponse.text(…)",
  brings: ["Effect.succeed"],
  edit: (node, source, resolve) => {
    if (!ts.isArrowFunction(node) || !ts.isCallExpression(node.body) || !ts.isCallExpression(node.parent)) {
      return undefined
    }
    if (!/^Effect\.(catchTag|catchAll|flatMap)$/.test(resolve(node.parent.expression) ?? "")) return undefined
    if (!/^HttpServerResponse\.(empty|html|redirect|text)$/.test(resolve(node.body.expression) ?? "")) return undefined
    return replace(node.body, source, `Effect.succeed(${node.body.getText(source)})`)
  }
}

const text = (node: ts.Node, source: ts.SourceFile): string => node.getText(source)

const service: Shape = {
  name: "Effect.Service<Self>()(id, { effect })",
  brings: ["Context.Service"],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || !ts.isCallExpression(node.expression)) return undefined
    const [id, options] = node.arguments
    if (resolve(node.expression.expression) !== "Effect.Service" || !ts.isObjectLiteralExpression(options)) {
      return undefined
    }
    const [made] = options.properties
    if (!ts.isPropertyAssignment(made)) return undefined
    const value = text(made.initializer, source)
    const make = text(made.name, source) === "succeed" ? `Effect.succeed(${value})` : value
    const self = node.expression.typeArguments?.map((each) => text(each, source)).join(", ") ?? ""
    return replace(node, source, `Context.Service<${self}>()(${text(id, source)}, { make: ${make} })`)
  }
}

const listFromText: Shape = {
  name: "Config.array(Config.string(), name)",
  brings: ["Config.Array"],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || resolve(node.expression) !== "Config.array") return undefined
    const [of, name] = node.arguments
    return ts.isCallExpression(of) && resolve(of.expression) === "Config.string"
      ? replace(node, source, `Config.Array(Schema.String, ${text(name, source)})`)
      : undefined
  }
}

const uuid: Shape = {
  name: "Schema.UUID",
  brings: [],
  edit: (node, source, resolve) =>
    ts.isPropertyAccessExpression(node) && resolve(node) === "Schema.UUID"
      ? replace(node, source, "Schema.String.pipe(Schema.check(Schema.isUUID()))")
      : undefined
}

const testContext: Shape = {
  name: "TestContext.TestContext",
  brings: [],
  edit: (node, source, resolve) =>
    ts.isPropertyAccessExpression(node) && resolve(node) === "TestContext.TestContext"
      ? replace(node, source, "TestClock.layer()")
      : undefined
}

const apiHandler: Shape = {
  name: "HttpApiBuilder.toWebHandler(Layer.merge(api, HttpServer.layerContext))",
  brings: [],
  edit: (node, source, resolve) => {
    if (!ts.isCallExpression(node) || resolve(node.expression) !== "Layer.merge") return undefined
    const [api, context] = node.arguments
    return resolve(context) === "HttpServer.layerContext"
      ? replace(node, source, `Layer.provideMerge(${text(api, source)}, HttpServer.layerServices)`)
      : undefined
  }
}

export const exampleShapes: ReadonlyArray<Shape> = [
  service,
  listFromText,
  uuid,
  testContext,
  apiHandler,
  app,
  route,
  serve,
  webHandler,
  response
]
