import { generate } from "./edition/generate.js"
const r = generate(process.cwd(), ["src"], "effect4", false)
console.log(r.identical.length, r.renamed.length, r.written, r.lines)
