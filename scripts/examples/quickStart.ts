/** What the README tells a newcomer to type, taken from its text: the commands, the program, and the requests with their answers. */

export interface QuickStart {
  /** what `npm i` gets, for the edition */
  readonly packages: ReadonlyArray<string>
  readonly program: string
  readonly requests: ReadonlyArray<Request>
}

export interface Request {
  readonly method: string
  readonly path: string
  /** `visit 1`, or a status, such as `401 Unauthorized` */
  readonly answer: string
}

const find = (text: string, pattern: RegExp, what: string): string => {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`README.md has no ${what}`)
  return found
}

const curl = /^curl -c jar -b jar (?:-X (\w+) |-i )?http:\/\/127\.0\.0\.1:3000(\/\S*) +# (.+)$/gm

export const read = (readme: string, edition: 3 | 4): QuickStart => {
  const program = find(readme, /^```ts\n([\s\S]*?)^```$/m, "program")
  const requests = Array.from(readme.matchAll(curl), ([, method = "GET", path, answer]) => ({ method, path, answer }))
  if (requests.length === 0) throw new Error("README.md sends no request")
  if (edition === 3) {
    return { packages: find(readme, /^npm i (.*)$/m, "command for Effect 3").split(" "), program, requests }
  }
  const firstLine = find(readme, /first\s+line\s+is\s+`(import [^`]+)`/, "first line for Effect 4")
  return {
    packages: find(readme, /third\s+command\s+is\s+`npm i ([^`]+)`/, "command for Effect 4").split(" "),
    program: program.replace(/^.*\n/, `${firstLine}\n`),
    requests
  }
}

/** Sends the requests one after the other, as curl does with its jar. Returns each answer that is another one. */
export const visit = async (origin: string, requests: ReadonlyArray<Request>): Promise<ReadonlyArray<string>> => {
  const problems: Array<string> = []
  let cookie: string | undefined
  for (const { answer, method, path } of requests) {
    const response = await fetch(origin + path, { method, headers: cookie === undefined ? {} : { cookie } })
    const text = (await response.text()).trimEnd()
    const [set] = response.headers.getSetCookie()
    if (set !== undefined) cookie = /max-age=0/i.test(set) ? undefined : set.split(";")[0]
    const got = response.status === 200 ? text : `${response.status} ${response.statusText}`
    if (got !== answer) problems.push(`${method} ${path}: "${got}", not "${answer}"`)
  }
  return problems
}
