/**
 * Processes on a core of their own: the server on the first, the load on the second, so that neither steals from the
 * other. Where `taskset` or a second core is missing, they share, and the report says so.
 */
import { spawn } from "node:child_process"
import { cpus } from "node:os"
import { has } from "./machine.js"

export const pinned = cpus().length > 1 && has("taskset")

export const serverCore = 0
export const loadCore = 1

/** A child process, pinned where that is possible. */
export const spawnOn = (core, command, args, options) =>
  pinned ? spawn("taskset", ["-c", String(core), command, ...args], options) : spawn(command, args, options)
