import * as SqlClient from "@effect/sql/SqlClient"
import * as SessionStoreContract from "effect-session/SessionStoreContract"
import * as Effect from "effect/Effect"
import { databases } from "./databases.js"
import { own, table } from "./harness.js"

/** Something in the row that the adapter cannot know. Ids are base64url: nothing in them needs a parameter. */
const spoil = (set: string) => (id: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe(`UPDATE ${table} SET ${set} WHERE id = '${id}'`))

for (const database of databases) {
  database.describe(() =>
    SessionStoreContract.suite("contract", own(database), {
      index: true,
      corrupt: spoil("data = 'spoilt'"),
      newerFormat: spoil("format = 9, data = 'of another time'")
    })
  )
}
