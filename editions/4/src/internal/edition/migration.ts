/**
 * What is wrong with the migrations of an app.
 */
import * as Migrator from "effect/sql/Migrator"

export const badMigration = (message: string): Migrator.MigrationError =>
  new Migrator.MigrationError({ kind: "BadState", message })
