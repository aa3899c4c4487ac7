/**
 * The User-Agent that a session keeps of a sign-in.
 */

/** The most characters of a User-Agent that a session keeps: the client chooses it. */
const userAgentLength = 512

/** Cut where it is too long, and never inside a character of two code units. */
export const bounded = (userAgent: string | undefined): string | undefined => {
  if (userAgent === undefined || userAgent.length <= userAgentLength) return userAgent
  const last = userAgent.charCodeAt(userAgentLength - 1)
  return userAgent.slice(0, last >= 0xd800 && last <= 0xdbff ? userAgentLength - 1 : userAgentLength)
}
