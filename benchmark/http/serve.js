/**
 * Serves one contestant in a process of its own: `node serve.js <module> <variant>`, over an IPC channel.
 *
 * It sends `{ port }` once it listens, answers `"usage"` with the CPU time that it has used, profiles itself between
 * `"profile"` and `"profiled"`, which it answers with the time by owner (see `../harness/profile.js`), and ends with its parent.
 */
const [module, variant] = process.argv.slice(2)
const { variants } = await import(`./contestants/${module}.js`)
const server = await variants[variant]()

const listening = () => process.send({ port: server.address().port })

// Effect's server listens by itself.
if (server.listening) listening()
else server.once("listening", listening)
if (module !== "effect") server.listen(0, "127.0.0.1")

let stop

const answers = {
  usage: () => {
    const { system, user } = process.cpuUsage()
    return { cpuMicros: user + system, residentBytes: process.memoryUsage.rss() }
  },
  profile: async () => {
    const { startTiming } = await import("../harness/profile.js")
    stop = await startTiming()
    return {}
  },
  profiled: () => stop()
}

process.on("message", async (question) => process.send(await answers[question]()))

process.on("disconnect", () => process.exit(0))
