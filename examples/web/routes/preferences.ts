/**
 * Preferences: a form whose fields are keys of the session, read and written as one object.
 */
import { HttpLayerRouter } from "@effect/platform"
import { Effect, Option, Schema } from "effect"
import { Flash, RequestContext } from "effect-session"
import { field, readForm, redirect } from "../form.js"
import { format } from "../format.js"
import { html } from "../html.js"
import * as LastResponse from "../lastResponse.js"
import { page } from "../layout.js"
import { Language, Notice, Preferences, Theme } from "../session.js"

const decodeTheme = Schema.decodeUnknownOption(Theme)
const decodeLanguage = Schema.decodeUnknownOption(Language)

const save = Effect.gen(function*() {
  yield* LastResponse.note
  const form = yield* readForm
  const theme = decodeTheme(field(form, "theme"))
  const language = decodeLanguage(field(form, "language"))
  // A patch changes the keys that it names. What the form does not name, or names wrongly, stays as it is.
  yield* RequestContext.patch(Preferences, {
    ...(Option.isSome(theme) && { theme: theme.value }),
    ...(Option.isSome(language) && { language: language.value })
  })
  yield* Flash.add(Notice, { kind: "success", text: "Your preferences are saved." })
  return redirect("/preferences")
})

const themes = [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]] as const

const languages = [["en", "English"], ["de", "Deutsch"], ["fr", "Français"], ["nl", "Nederlands"]] as const

const show = Effect.gen(function*() {
  const { language, theme } = yield* RequestContext.getStruct(Preferences)
  return yield* page({
    title: "Preferences",
    body: () =>
      html`<h1>Preferences</h1>
      <form method="post" action="/preferences" class="card">
        <fieldset>
          <legend>Theme</legend>
          ${
        themes.map(([value, text]) =>
          html`<label class="check"><input type="radio" name="theme" value="${value}"${
            value === theme && html` checked`
          }> ${text}</label>`
        )
      }
        </fieldset>
        <label for="language">Language of prices and dates</label>
        <select id="language" name="language">${
        languages.map(([value, text]) =>
          html`<option value="${value}" lang="${value}"${value === language && html` selected`}>${text}</option>`
        )
      }</select>
        <p class="hint">For example ${format(language).price(123_450)}, and ${format(language).time(new Date())}.</p>
        <button>Save</button>
      </form>`
  })
})

export const PreferenceRoutes = HttpLayerRouter.addAll([
  HttpLayerRouter.route("GET", "/preferences", show),
  HttpLayerRouter.route("POST", "/preferences", save)
])
