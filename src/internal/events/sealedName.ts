/**
 * The name of a sealed session in an event.
 *
 * On a server store the id is the SHA-256 of 256 random bits: it opens nothing, and names the session everywhere else, too. The id
 * of a sealed session is no hash but part of what was sealed, and a list of revoked sessions may go by it. An event therefore
 * has a hash of it, whose prefix keeps it apart from every other hash of the same text. A salt would protect a secret that can
 * be guessed, which 128 random bits cannot.
 */
import { sha256 } from "../codec/sha256.js"

export const sealedName = (sid: string): string => sha256(`effect-session/event ${sid}`)
