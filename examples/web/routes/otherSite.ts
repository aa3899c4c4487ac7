/**
 * A page of "another site" that tries to fill the visitor's cart. It is in a sandboxed frame, and so has an origin of its own:
 * `Csrf` refuses what it sends.
 */
import { HttpLayerRouter } from "@effect/platform"
import { Effect } from "effect"
import { html } from "../html.js"
import { page, plainPage } from "../layout.js"

const show = page({
  title: "Other sites",
  body: () =>
    html`<h1>A form of another site</h1>
    <p class="lead">The frame below stands for a page that somebody else has put on the web. Its button sends a form to this shop,
      as the button of a tea does.</p>
    <iframe src="/other-site/frame" sandbox="allow-forms" title="A page of another site"></iframe>
    <section class="note"><h2>What happens</h2>
      <p>The browser says where a request comes from. <code>Csrf</code> refuses the form before a handler runs, and the cart stays
        as it is. Reload this page to try again.</p></section>`
})

const frame = plainPage({
  title: "Another site",
  body: html`<h1>Free tea!</h1>
    <form method="post" action="/cart">
      <input type="hidden" name="tea" value="oolong">
      <button>Claim it</button>
    </form>`
})

export const OtherSiteRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/other-site", show),
  HttpLayerRouter.route("GET", "/other-site/frame", Effect.succeed(frame))
])
