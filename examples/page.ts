/**
 * A page that shows the session and has a button for each route. Clients choose the keys and the values, so the page escapes
 * them, and its content security policy lets no inline script run except its own.
 */
import { HttpServerResponse } from "@effect/platform"
import { randomBytes } from "node:crypto"

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;" }

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character])

const buttons = [
  ["POST", "/session", "store alan = turing"],
  ["GET", "/session", "read alan"],
  ["DELETE", "/session", "remove alan"],
  ["GET", "/session/count", "count a visit"],
  ["PUT", "/session/values/note", "write a note"],
  ["GET", "/session/values/note", "read the note"],
  ["POST", "/session/slow/1000", "slow write (1 s)"],
  ["POST", "/session/renew", "renew the id"],
  ["POST", "/session/clear", "clear"],
  ["POST", "/session/flush", "flush (sign out)"]
] as const

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; border-bottom: 1px solid #8884; padding: .3rem .5rem; overflow-wrap: anywhere }
  button { margin: .2rem; padding: .4rem .7rem; cursor: pointer }
  output { display: block; min-height: 1.5em; margin: 1rem 0; font-family: ui-monospace, monospace }
  label { display: block; margin: .5rem .2rem }`

const script = `
  const output = document.querySelector("output")
  for (const button of document.querySelectorAll("button")) {
    button.addEventListener("click", async () => {
      const { method, path } = button.dataset
      const body = method === "PUT" ? document.querySelector("#note").value : undefined
      const response = await fetch(path, { method, body })
      sessionStorage.setItem("last", method + " " + path + " → " + response.status + " " + await response.text())
      location.reload()
    })
  }
  output.textContent = sessionStorage.getItem("last") ?? ""`

export const page = (
  entries: ReadonlyArray<readonly [name: string, json: string]>,
  requestId: string
): HttpServerResponse.HttpServerResponse => {
  const nonce = randomBytes(16).toString("base64")
  const rows = entries.map(([name, json]) => `<tr><td>${escape(name)}</td><td><code>${escape(json)}</code></td></tr>`)
  const actions = buttons.map(([method, path, label]) =>
    `<button data-method="${method}" data-path="${path}">${escape(label)}</button>`
  )
  return HttpServerResponse.text(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>effect-session</title>
<style nonce="${nonce}">${style}</style>
<h1>Your session</h1>
<table id="session">
<thead><tr><th>key</th><th>value</th></tr></thead>
<tbody>
${rows.length === 0 ? "<tr><td colspan=\"2\">empty</td></tr>" : rows.join("\n")}
</tbody>
</table>
<label>note: <input id="note" value="hello"></label>
${actions.join("\n")}
<output></output>
<p><small>request ${escape(requestId)}</small></p>
<script nonce="${nonce}">${script}</script>
</html>
`,
    {
      contentType: "text/html; charset=utf-8",
      headers: {
        "content-security-policy":
          `default-src 'none'; connect-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`,
        "x-content-type-options": "nosniff"
      }
    }
  )
}
