/** The one message that a measuring child sends; then it ends, whatever timers and connections it still has. */
export const answer = (message) => process.send(message, () => process.exit(0))
