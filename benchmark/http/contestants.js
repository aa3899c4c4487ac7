/**
 * The contestants over HTTP. `bare` is each framework with the same route and no session: its cost is subtracted. `holds` says
 * where the session is.
 */
export const bare = [
  { id: "node:http", module: "node-http" },
  { id: "express", module: "express" },
  { id: "fastify", module: "fastify" },
  { id: "koa", module: "koa" },
  { id: "hono", module: "hono" },
  { id: "h3", module: "h3" },
  { id: "effect", module: "effect" }
].map((framework) => ({ ...framework, variant: "bare", framework: framework.id }))

const contestant = (framework, variant, label, holds, packages = []) => {
  const { module } = bare.find((each) => each.id === framework)
  return { id: `${framework}/${variant}`, framework, module, variant, label, holds, packages, ours: false }
}

const ours = (variant, label, holds) => ({ ...contestant("effect", variant, label, holds), ours: true })

export const contestants = [
  contestant("node:http", "ideal", "node:http + hand-written AES-GCM (the ideal)", "sealed cookie"),
  contestant("fastify", "sealedCookie", "fastify + @fastify/secure-session", "sealed cookie", [
    "@fastify/secure-session"
  ]),
  contestant("h3", "sealedCookie", "h3 + useSession", "sealed cookie", ["h3"]),
  contestant("node:http", "ironSession", "node:http + iron-session", "sealed cookie", ["iron-session"]),
  contestant("effect", "floorCookie", "Effect, sealed by hand (a floor)", "sealed cookie"),
  contestant("effect", "leastCookie", "Effect, sealed by hand, the least (a floor)", "sealed cookie"),
  ours("cookie", "effect-session, cookie store", "sealed cookie"),
  contestant("koa", "signedCookie", "koa + koa-session", "signed cookie", ["koa-session"]),
  contestant("express", "signedCookie", "express + cookie-session", "signed cookie", ["cookie-session"]),
  contestant("node:http", "reactRouter", "node:http + React Router's cookie storage", "signed cookie", [
    "react-router"
  ]),
  contestant("hono", "memory", "hono + hono-sessions, memory", "memory", ["hono-sessions"]),
  contestant("fastify", "memory", "fastify + @fastify/session, memory", "memory", ["@fastify/session"]),
  contestant("express", "memory", "express + express-session, memory", "memory", ["express-session"]),
  contestant("effect", "floorMemory", "Effect, a Map by hand (a floor)", "memory"),
  contestant("effect", "leastMemory", "Effect, a Map by hand, the least (a floor)", "memory"),
  ours("memory", "effect-session, memory store", "memory"),
  ours("memoryModify", "effect-session, memory, atomic modify", "memory"),
  contestant("express", "redis", "express + connect-redis", "redis", ["connect-redis"]),
  ours("redis", "effect-session, Redis store", "redis"),
  ours("nodeRedis", "effect-session, Redis store through node-redis", "redis"),
  ours("requestId", "effect-session, RequestId alone", "nothing")
]
