/**
 * Standard padded base64 (RFC 4648, section 4), decoded strictly: each sequence of bytes has exactly one text. The platform's
 * own decoder skips unknown characters, accepts both alphabets and ignores trailing bits, so that many texts would open as one
 * cookie.
 */

/** The length in base64 of so many bytes. */
export const encodedLength = (bytes: number): number => 4 * Math.ceil(bytes / 3)

/** The characters before `=` and before `==` whose unused low bits are zero. */
const beforeOnePad = "AEIMQUYcgkosw048"
const beforeTwoPads = "AQgw"

/**
 * Decodes `text` into the start of `into`. Returns the number of bytes, or -1 when the text is not canonical base64 or does not
 * fit.
 *
 * The platform's decoder does the work, because checking each character with a regular expression takes much longer. The length
 * of the result makes the decoding strict: the decoder drops every character that is in neither alphabet, and with each dropped
 * character (also with an `=` in the middle) the result is shorter than the length of the text demands. What does not fit is
 * cut short in the same way. The checks here cover the rest: the url-safe alphabet, characters beyond ASCII, which the decoder
 * may cut down to 8 bits, and the bits that padding leaves over.
 */
export const decode = (text: string, into: Buffer): number => {
  const length = text.length
  if (length === 0 || length % 4 !== 0) return -1
  let bytes = (length / 4) * 3
  if (text.charCodeAt(length - 1) === 0x3d) {
    if (text.charCodeAt(length - 2) === 0x3d) {
      bytes -= 2
      if (!beforeTwoPads.includes(text.charAt(length - 3))) return -1
    } else {
      bytes -= 1
      if (!beforeOnePad.includes(text.charAt(length - 2))) return -1
    }
  }
  if (text.includes("-") || text.includes("_") || Buffer.byteLength(text) !== length) return -1
  return into.write(text, "base64") === bytes ? bytes : -1
}
