import { generate } from "./edition/generate.js"
const r = generate(process.cwd(), process.argv.slice(2), "effect4", false)
console.log(r.identical.length, r.renamed.length, r.written, r.lines)
