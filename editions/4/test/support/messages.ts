/** What Effect says of values that do not match a schema. */
export const messages = {
  tooShort: (length: number) => `Expected a value with a length of at least ${length}`,
  notInteger: "Expected an integer",
  empty: "Expected a value with a length of at least 1",
  missing: "Missing key"
}
