/**
 * Two servers, each a process of its own, that share their sessions in one Redis.
 *
 * Start them with `npm run example -- two-processes`. It needs Redis at `REDIS_URL`, by default redis://127.0.0.1:6379. Then
 * count at either of them:
 *
 *   curl -c jar -b jar http://127.0.0.1:3000/count
 *   curl -c jar -b jar http://127.0.0.1:3001/count
 */
import { fork } from "node:child_process"
import { join } from "node:path"

const first = Number(process.env.PORT ?? 3000)
const ports = first === 0 ? [0, 0] : [first, first + 1]

const processes = ports.map((port) =>
  fork(join(import.meta.dirname, "worker.ts"), { env: { ...process.env, PORT: String(port) } })
)

// Ctrl-C reaches the two servers as well, and this process ends after them. If one of them ends early, so does the other.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const each of processes) each.kill(signal)
  })
}
for (const each of processes) {
  each.on("exit", (code) => {
    process.exitCode ||= code ?? 1
    for (const other of processes) other.kill()
  })
}
