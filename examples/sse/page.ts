/**
 * The page: it shows the events, and what the WebSocket answers. Its one script is let through by a nonce.
 */
import { HttpServerResponse } from "@effect/platform"
import { Option } from "effect"
import { randomBytes } from "node:crypto"

const style = `
  :root { color-scheme: light dark }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
  pre { min-height: 8rem; padding: 1rem; border: 1px solid #8888; border-radius: .5rem; overflow: auto }
  button { font: inherit; padding: .5rem 1rem }`

const script = `
  const show = (id, text) => { document.querySelector(id).textContent += text + "\\n" }
  const events = new EventSource("/events")
  events.addEventListener("tick", ({ data }) => show("#events", data))
  events.addEventListener("signed-out", () => { events.close(); show("#events", "signed out") })
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/socket")
  socket.onopen = () => socket.send("hello")
  socket.onmessage = ({ data }) => show("#socket", data)
  socket.onclose = ({ code, reason }) => show("#socket", "closed: " + code + " " + reason)`

const signedIn = `
<p>Open this page in a second tab and sign out there: both streams end.</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>
<h2>Events</h2>
<pre id="events" role="log" tabindex="0"></pre>
<h2>WebSocket</h2>
<pre id="socket" role="log" tabindex="0"></pre>`

export const page = (user: Option.Option<string>) => {
  const nonce = randomBytes(16).toString("base64")
  const body = Option.isSome(user)
    ? `<h1>Streams that end</h1>${signedIn}<script nonce="${nonce}">${script}</script>`
    : "<h1>Streams that end</h1><form method=\"post\" action=\"/sign-in\"><button>Sign in</button></form>"
  return HttpServerResponse.text(
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Streams that end</title>
<style nonce="${nonce}">${style}</style>
<main>${body}</main>
</html>
`,
    {
      contentType: "text/html; charset=utf-8",
      headers: {
        "cache-control": "no-store",
        "content-security-policy": `default-src 'none'; connect-src 'self'; form-action 'self'; base-uri 'none'; `
          + `frame-ancestors 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`
      }
    }
  )
}
