/** What Effect says of values that do not match a schema. */
export const messages = {
  tooShort: (length: number) => `Expected a string at least ${length} character(s) long`,
  notInteger: "Expected an integer",
  empty: "Expected a non empty string",
  missing: "is missing"
}
