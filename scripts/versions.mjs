/**
 * After `changeset version`: gives the package for Effect 4 the version that belongs to the one for Effect 3, names both files in
 * README.md, and brings the lock files along. The editions differ in the first number: 1.4.2 and 2.4.2 are the same release.
 */
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

/** The version for Effect 4 of a release. Before 1.0.0 there is no release for Effect 4, only what leads to 2.0.0. */
export const versionFor4 = (version) => {
  const [major, ...rest] = version.split(".")
  return major === "0" ? "2.0.0-next.0" : `${Number(major) + 1}.${rest.join(".")}`
}

const update = (root) => {
  const manifest = (folder) => join(root, folder, "package.json")
  const versionIn = (folder) => JSON.parse(readFileSync(manifest(folder), "utf8")).version
  const version = versionIn(".")
  const next = versionFor4(version)
  const replace = (file, from, to) => writeFileSync(file, readFileSync(file, "utf8").replace(from, to))
  replace(manifest("effect4"), /"version": ".*"/, `"version": "${next}"`)
  replace(join(root, "README.md"), /effect-session-[01]\.\d[^ ]*?\.tgz/g, `effect-session-${version}.tgz`)
  replace(join(root, "README.md"), /effect-session-2\.\d[^ ]*?\.tgz/g, `effect-session-${next}.tgz`)
  for (const folder of [".", "effect4"]) {
    spawnSync(process.execPath, [join(root, "scripts/lock.mjs"), folder], { cwd: root, stdio: "inherit" })
  }
  console.log(`${version} for Effect 3, ${next} for Effect 4`)
}

if (resolve(process.argv[1] ?? "") === import.meta.filename) update(resolve(import.meta.dirname, ".."))
