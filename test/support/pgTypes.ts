/** What a client for PostgreSQL may make of numbers, in place of what its driver does. */
export const pgTypes: ReadonlyArray<any> = [
  { getTypeParser: (oid: number) => (text: string) => oid === 20 ? BigInt(text) : text },
  { getTypeParser: (oid: number) => (text: string) => [20, 21, 23].includes(oid) ? Number(text) : text }
]
