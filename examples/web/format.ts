/**
 * Prices and times in the visitor's language.
 */
import type { Language } from "./session.js"

const make = (locale: string) => {
  const price = new Intl.NumberFormat(locale, { style: "currency", currency: "EUR" })
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" })
  return { price: (cents: number) => price.format(cents / 100), time: (date: Date) => time.format(date) }
}

const formats = { en: make("en-IE"), de: make("de-DE"), fr: make("fr-FR"), nl: make("nl-NL") }

export const format = (language: typeof Language.Type) => formats[language]
