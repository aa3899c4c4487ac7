/**
 * The adapter over a client: what every layer of the Redis store provides.
 */
import * as Context from "effect/Context"
import { SessionBackend, SubjectIndex } from "../../SessionBackend.js"
import * as Backend from "./backend.js"
import type { RedisClient } from "./client.js"
import { Commands, type Watch } from "./commands.js"
import * as Index from "./subjectIndex.js"

export const services = (
  client: RedisClient,
  watch: Watch | undefined,
  prefix = "session:"
): Context.Context<SessionBackend | SubjectIndex> => {
  const commands = new Commands(client, watch)
  return Context.make(SessionBackend, Backend.make(commands, prefix)).pipe(
    Context.add(SubjectIndex, Index.make(commands, prefix))
  )
}
