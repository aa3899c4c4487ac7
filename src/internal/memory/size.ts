/**
 * What a session counts against `maxBytes`: a fixed part for its record and its places in the heap and the hash index, and
 * its owner and data in blocks.
 */
import { nodeBytes } from "./expiryHeap.js"
import { headBytes } from "./hashIndex.js"
import { recordBytes } from "./records.js"
import { blockBytes, blocksOf } from "./texts.js"

/** The bytes that every session takes, before its owner and data are counted. */
export const fixedBytes = recordBytes + nodeBytes + headBytes

/** The bytes of a session whose owner and data take `textLength` bytes as text. */
export const sizeOf = (textLength: number): number => fixedBytes + blocksOf(textLength) * blockBytes

/** The most bytes that a session can take whose keys and values have at most `maxSessionBytes` bytes of UTF-8. */
export const largestBytes = (maxSessionBytes: number): number =>
  // The text is twice as long where it is kept as UTF-16, and a control character in a key is escaped to six characters.
  sizeOf(maxSessionBytes * 12 + 4096)
