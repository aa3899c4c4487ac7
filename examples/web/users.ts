/**
 * The users of this demo. A real app has them in a database.
 *
 * A password is kept as its scrypt hash, with the cost that OWASP recommends (Password Storage Cheat Sheet: N=2^15, r=8, p=3,
 * or the equal N=2^17, p=1). A real app also limits how often somebody may try; this library does not.
 */
import { Effect, Option } from "effect"
import { scrypt, timingSafeEqual } from "node:crypto"
import { UserId } from "./session.js"

export interface Account {
  readonly id: UserId
  readonly email: string
  readonly name: string
  /** `salt:hash`, both in base64url. */
  readonly password: string
}

const users: ReadonlyArray<Account> = [
  {
    id: UserId.make("user-1"),
    email: "ada@example.com",
    name: "Ada",
    password: "C21kSFF3ShD1EzzLtlnRGw:YmQ4n5u0VOQq7mdN6_2mw5r9s-moixnw5Av8LazsSUQ"
  },
  {
    id: UserId.make("user-2"),
    email: "alan@example.com",
    name: "Alan",
    password: "M91PSfQxlVoc6h7NYrQOaQ:zgjlLwm5Vcn-IqjuzApZ-OjKYFbt38n48kUTMceXiTo"
  }
]

const byEmail = new Map(users.map((user) => [user.email, user]))
const byId = new Map(users.map((user) => [user.id, user]))

export const findUser = (id: UserId): Option.Option<Account> => Option.fromNullable(byId.get(id))

const cost = { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 26 }

const hash = (password: string, salt: Buffer, length: number): Effect.Effect<Buffer> =>
  Effect.async((resume) => {
    scrypt(password, salt, length, cost, (error, key) => {
      resume(error === null ? Effect.succeed(key) : Effect.die(error))
    })
  })

/** One at a time: each takes 32 MiB, and a flood of sign-ins must not take the memory of everybody else. */
const oneAtATime = Effect.unsafeMakeSemaphore(1)

/**
 * Returns the user if the password is right. An address that nobody has takes as long as a wrong password, so that nobody can
 * find out by the clock who has an account.
 */
export const checkPassword = (email: string, password: string): Effect.Effect<Option.Option<Account>> => {
  const user = byEmail.get(email.trim().toLowerCase())
  const [salt, expected] = (user ?? users[0]).password.split(":").map((text) => Buffer.from(text, "base64url"))
  return hash(password, salt, expected.length).pipe(
    oneAtATime.withPermits(1),
    Effect.map((actual) => timingSafeEqual(actual, expected) && user !== undefined ? Option.some(user) : Option.none())
  )
}
