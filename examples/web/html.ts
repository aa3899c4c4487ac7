/**
 * HTML that escapes by itself: every value in a template is text, unless it is HTML that another template has made.
 */

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character])

export class Html {
  constructor(readonly text: string) {}
}

/** What may stand in a template; `undefined` and `false` show nothing. */
export type Content = Html | string | number | false | undefined | ReadonlyArray<Content>

const render = (content: Content): string => {
  if (content === undefined || content === false) return ""
  if (content instanceof Html) return content.text
  return typeof content === "object" ? content.map(render).join("") : escape(String(content))
}

/** Put values between quotes where they are in an attribute: <a href="${path}">. */
export const html = (texts: TemplateStringsArray, ...contents: ReadonlyArray<Content>): Html =>
  new Html(texts.reduce((before, text, i) => before + render(contents[i - 1]) + text))
