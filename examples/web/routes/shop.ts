/**
 * The teas and the cart. A visitor needs no account for a cart: the first tea begins the session, and the cart is still there
 * after the sign-in.
 */
import { HttpLayerRouter } from "@effect/platform"
import { Effect, Option } from "effect"
import { Flash, RequestContext } from "effect-session"
import { field, ownPath, readForm, redirect } from "../form.js"
import { format } from "../format.js"
import { html } from "../html.js"
import * as LastResponse from "../lastResponse.js"
import { page } from "../layout.js"
import { Cart, Notice } from "../session.js"
import { SignIn } from "../signIn.js"

interface Tea {
  readonly id: string
  readonly name: string
  readonly origin: string
  readonly cents: number
}

const teas: ReadonlyArray<Tea> = [
  { id: "sencha", name: "Sencha", origin: "green, from Uji", cents: 890 },
  { id: "assam", name: "Assam", origin: "black, from Dibrugarh", cents: 640 },
  { id: "oolong", name: "Oolong", origin: "half oxidised, from Anxi", cents: 1250 },
  { id: "rooibos", name: "Rooibos", origin: "no caffeine, from the Cederberg", cents: 520 },
  { id: "jasmine", name: "Jasmine", origin: "green with flowers, from Fuzhou", cents: 980 },
  { id: "hibiscus", name: "Hibiscus", origin: "flowers, from Aswan", cents: 480 }
]

const teaOf = (id: string): Option.Option<Tea> => Option.fromNullable(teas.find((tea) => tea.id === id))

/** So much of a tea may be in a cart. */
const most = 9

const cup =
  html`<svg viewBox="0 0 64 50" aria-hidden="true"><path class="steam" d="M24 3c-4 5 4 6 0 11M34 3c-4 5 4 6 0 11"/><path class="cup" d="M8 20h42v8a18 18 0 0 1-18 18h-6A18 18 0 0 1 8 28Zm42 4h4a6 6 0 0 1 0 12h-6"/></svg>`

// ── what a click does ──

/**
 * Puts one more of a tea into the cart, or takes one out. `modify` decides and writes in one step: two tabs that add at the same
 * time count as two, and neither goes beyond the most.
 */
const change = (tea: string, by: 1 | -1) =>
  RequestContext.modify(Cart, (cart) => {
    const quantity = (cart.find((line) => line.tea === tea)?.quantity ?? 0) + by
    if (quantity > most || quantity < 0) return [false, Option.some(cart)]
    const line = { tea, quantity }
    const next = quantity === 0
      ? cart.filter((each) => each.tea !== tea)
      : cart.some((each) => each.tea === tea)
      ? cart.map((each) => each.tea === tea ? line : each)
      : [...cart, line]
    return [true, next.length === 0 ? Option.none() : Option.some(next)]
  })

const changeCart = Effect.gen(function*() {
  yield* LastResponse.note
  const form = yield* readForm
  const back = ownPath(field(form, "back"))
  const tea = teaOf(field(form, "tea"))
  if (Option.isNone(tea)) return redirect(back)
  const { id, name } = tea.value
  const more = field(form, "change") !== "less"
  const changed = yield* change(id, more ? 1 : -1)
  const text = more ? `${name} is in your cart.` : `There is one ${name} less in your cart.`
  yield* Flash.add(
    Notice,
    changed ? { kind: "success", text } : { kind: "problem", text: `Your cart takes 0 to ${most} of ${name}.` }
  )
  return redirect(back)
})

/** Takes the whole cart out of the session in one step, so that two clicks cannot order it twice. */
const order = Effect.gen(function*() {
  yield* LastResponse.note
  const { requireUser } = yield* SignIn
  yield* requireUser
  const cart = yield* RequestContext.modify(Cart, (cart) => [cart, Option.none()])
  yield* Flash.add(
    Notice,
    cart.length === 0
      ? { kind: "problem", text: "Your cart is empty." }
      : { kind: "success", text: "Thank you. Your tea is on its way." }
  )
  return redirect("/cart")
})

// ── the pages ──

const home = page({
  title: "Teas",
  body: ({ language }) =>
    html`<h1>Six teas and a session</h1>
    <p class="lead">This shop is the example app of effect-session. Fill the cart, sign in, change the theme, and watch what your
      session and its cookie do.</p>
    <ul class="teas">${
      teas.map((tea) =>
        html`<li class="tea ${tea.id}">
        <div class="picture">${cup}</div>
        <h2>${tea.name}</h2>
        <p>${tea.origin}</p>
        <form method="post" action="/cart">
          <input type="hidden" name="tea" value="${tea.id}">
          <input type="hidden" name="back" value="/">
          <span class="price">${format(language).price(tea.cents)}</span>
          <button aria-label="Add ${tea.name} to the cart">Add</button>
        </form>
      </li>`
      )
    }</ul>`
})

const cartPage = Effect.gen(function*() {
  const cart = yield* RequestContext.get(Cart)
  const lines = cart.flatMap(({ quantity, tea }) => Option.toArray(teaOf(tea)).map((tea) => ({ ...tea, quantity })))
  const sum = lines.reduce((total, { cents, quantity }) => total + cents * quantity, 0)
  return yield* page({
    title: "Cart",
    body: ({ language }) =>
      html`<h1>Your cart</h1>
      ${
        lines.length === 0
          ? html`<p class="lead">There is nothing in it yet. <a href="/">Choose a tea.</a></p>`
          : html`<ul class="lines">${
            lines.map(({ cents, id, name, quantity }) =>
              html`<li>
          <span class="name">${name}</span>
          <form method="post" action="/cart" class="amount">
            <input type="hidden" name="tea" value="${id}">
            <input type="hidden" name="back" value="/cart">
            <button class="quiet" name="change" value="less" aria-label="One ${name} less">−</button>
            <span class="quantity">${quantity}</span>
            <button class="quiet" name="change" value="more" aria-label="One ${name} more">+</button>
          </form>
          <span class="price">${format(language).price(cents * quantity)}</span>
        </li>`
            )
          }</ul>
          <form method="post" action="/order" class="total">
            <p>Together <strong>${format(language).price(sum)}</strong></p>
            <button>Order</button>
          </form>`
      }
      <section class="note"><h2>Try this</h2>
        <p>Open this page in two tabs and press + in both. Each press counts, because the cart changes by <code>modify</code>.
          With the cookie store, presses at the same moment can get lost.</p></section>`
  })
})

export const ShopRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/", home),
  HttpLayerRouter.route("GET", "/cart", cartPage),
  HttpLayerRouter.route("POST", "/cart", changeCart),
  HttpLayerRouter.route("POST", "/order", order)
])
