/**
 * The contestants over HTTP. `bare` is each framework with the same route and no session: its cost is subtracted. `holds` says
 * where the session is. Those of Effect exist once for each edition of the library.
 */
export const bare = [
  { id: "node:http", module: "node-http" },
  { id: "express", module: "express" },
  { id: "fastify", module: "fastify" },
  { id: "koa", module: "koa" },
  { id: "hono", module: "hono" },
  { id: "h3", module: "h3" },
  { id: "effect3", module: "effect", effect: 3 },
  { id: "effect4", module: "effect", effect: 4 }
].map((framework) => ({ ...framework, variant: "bare", framework: framework.id }))

const contestant = (framework, variant, label, holds, packages = []) => {
  const { effect, module } = bare.find((each) => each.id === framework)
  return { id: `${framework}/${variant}`, framework, module, effect, variant, label, holds, packages, ours: false }
}

const editions = [3, 4]

/** A floor, for each edition of Effect. */
const floor = (variant, label, holds) =>
  editions.map((effect) => contestant(`effect${effect}`, variant, `Effect ${effect}, ${label} (a floor)`, holds))

/** The library, for each edition of Effect. */
const ours = (variant, label, holds) =>
  editions.map((effect) => ({
    ...contestant(`effect${effect}`, variant, `effect-session on Effect ${effect}, ${label}`, holds),
    ours: true
  }))

export const contestants = [
  contestant("node:http", "ideal", "node:http + hand-written AES-GCM (the ideal)", "sealed cookie"),
  contestant("fastify", "sealedCookie", "fastify + @fastify/secure-session", "sealed cookie", [
    "@fastify/secure-session"
  ]),
  contestant("h3", "sealedCookie", "h3 + useSession", "sealed cookie", ["h3"]),
  contestant("node:http", "ironSession", "node:http + iron-session", "sealed cookie", ["iron-session"]),
  ...floor("floorCookie", "sealed by hand", "sealed cookie"),
  ...floor("leastCookie", "sealed by hand, the least", "sealed cookie"),
  ...ours("cookie", "cookie store", "sealed cookie"),
  contestant("koa", "signedCookie", "koa + koa-session", "signed cookie", ["koa-session"]),
  contestant("express", "signedCookie", "express + cookie-session", "signed cookie", ["cookie-session"]),
  contestant("node:http", "reactRouter", "node:http + React Router's cookie storage", "signed cookie", [
    "react-router"
  ]),
  contestant("hono", "memory", "hono + hono-sessions, memory", "memory", ["hono-sessions"]),
  contestant("fastify", "memory", "fastify + @fastify/session, memory", "memory", ["@fastify/session"]),
  contestant("express", "memory", "express + express-session, memory", "memory", ["express-session"]),
  ...floor("floorMemory", "a Map by hand", "memory"),
  ...floor("leastMemory", "a Map by hand, the least", "memory"),
  ...ours("memory", "memory store", "memory"),
  ...ours("memoryModify", "memory, atomic modify", "memory"),
  contestant("express", "redis", "express + connect-redis", "redis", ["connect-redis"]),
  ...floor("leastRedis", "GET and SET by hand", "redis"),
  ...ours("redis", "Redis store", "redis"),
  ...ours("nodeRedis", "Redis store through node-redis", "redis"),
  ...ours("requestId", "RequestId alone", "nothing")
]
