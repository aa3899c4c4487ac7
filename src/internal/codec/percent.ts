/**
 * The percent-encoding of cookie values, decoded without exceptions. `decodeURIComponent` throws for a malformed escape, which
 * is slow, and one Cookie header has room for two thousand malformed escapes (row M8).
 */

/** An escape that is malformed, or that stands for a byte beyond ASCII. The tokens of all stores are ASCII. */
const notAscii = /%(?![0-7][\da-f])/i

/** Returns the text without its escapes, or undefined where an escape is malformed or is not of an ASCII character. */
export const decodePercent = (text: string): string | undefined =>
  notAscii.test(text) ? undefined : decodeURIComponent(text)
