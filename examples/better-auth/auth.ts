/**
 * better-auth, which knows the users, their passwords and whether somebody has signed in. Its hooks tell the app's own session.
 */
import { betterAuth } from "better-auth"
import { memoryAdapter } from "better-auth/adapters/memory"
import { createAuthMiddleware } from "better-auth/api"
import { Effect, Option } from "effect"
import { RequestContext, Sessions } from "effect-session"
import { randomBytes } from "node:crypto"
import { withRequest } from "./bridge.js"

/** The app's session follows the one of better-auth: it is bound, renewed and ended in the same requests. */
const follow = createAuthMiddleware(async (context) => {
  const signedIn = context.context.newSession
  // A sign-up, a sign-in of whatever kind, a changed password.
  if (signedIn) {
    await withRequest(RequestContext.bind(signedIn.user.id))
    if (context.body?.revokeOtherSessions === true) {
      await withRequest(Effect.asVoid(Sessions.revokeOthers(signedIn.user.id)))
    }
    return
  }
  if (context.path === "/sign-out") return withRequest(RequestContext.flush)
  if (context.path === "/revoke-sessions" && !(context.context.returned instanceof Error)) {
    return withRequest(endAll)
  }
})

const endAll = Effect.flatMap(
  RequestContext.signedIn,
  Option.match({ onNone: () => Effect.void, onSome: ({ subject }) => Effect.asVoid(Sessions.revokeAll(subject)) })
)

export const auth = betterAuth({
  // A real app has a database here, and reads its secret from the environment.
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  secret: randomBytes(32).toString("hex"),
  emailAndPassword: {
    enabled: true,
    revokeSessionsOnPasswordReset: true,
    onPasswordReset: ({ user }) => withRequest(Effect.asVoid(Sessions.revokeAll(user.id)))
  },
  hooks: { after: follow },
  databaseHooks: {
    user: { delete: { after: (user) => withRequest(Effect.asVoid(Sessions.revokeAll(user.id))) } }
  },
  user: { deleteUser: { enabled: true } },
  telemetry: { enabled: false }
})
