/**
 * Commands in a folder with a package of its own, and the installation of that package.
 */
import { spawnSync } from "node:child_process"
import { existsSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"

interface Where {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs the command, and ends this process where it fails. `who` begins the line that says so. */
export const orExit = (who: string, command: string, args: ReadonlyArray<string>, where: Where): void => {
  const { error, status } = spawnSync(command, args, { stdio: "inherit", ...where })
  if (error !== undefined) throw error
  if (status !== 0) {
    console.error(`${who}: ${[command, ...args].join(" ")} ended with ${status}`)
    process.exit(status ?? 1)
  }
}

/** Installs anew where the lock file of the folder is newer than what is installed. */
export const install = (who: string, folder: string): void => {
  const stamp = join(folder, "node_modules/.installed")
  const lock = join(folder, "package-lock.json")
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return
  orExit(who, "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder })
  writeFileSync(stamp, "")
  utimesSync(stamp, new Date(), new Date(Math.max(Date.now(), statSync(lock).mtimeMs)))
}
