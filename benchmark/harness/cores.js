/**
 * Runs processes on cores of their own: the server on the first core and the load on the second, so that neither takes time
 * from the other. Without `taskset` or a second core they share the cores, and the report says so.
 */
import { spawn } from "node:child_process"
import { cpus } from "node:os"
import { has } from "./machine.js"

export const pinned = cpus().length > 1 && has("taskset")

export const serverCore = 0
export const loadCore = 1

/** A child process, pinned where that is possible; without a core it may use all of them. */
export const spawnOn = (core, command, args, options) =>
  pinned && core !== undefined
    ? spawn("taskset", ["-c", String(core), command, ...args], options)
    : spawn(command, args, options)
