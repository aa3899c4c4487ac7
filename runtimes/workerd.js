/**
 * Serves a worker in workerd, with an empty D1 database as `DB`, and prints its address: `node workerd.js <file of the worker>`.
 */
import { Miniflare } from "miniflare"

const [scriptPath] = process.argv.slice(2)

const miniflare = new Miniflare({
  host: "127.0.0.1",
  port: 0,
  modules: [{ type: "ESModule", path: scriptPath }],
  compatibilityDate: "2026-07-01",
  compatibilityFlags: ["nodejs_compat"],
  d1Databases: ["DB"],
  telemetry: { enabled: false }
})

console.log((await miniflare.ready).origin)
