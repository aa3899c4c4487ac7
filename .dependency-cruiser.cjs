/**
 * Which part of the library may import which: `npm run check:structure` fails where the code does otherwise.
 * docs/architecture.md explains the layers.
 */
const backends = ["memory", "redis", "sql", "keyValueStore"]

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Modules that import each other cannot be read in one direction. Type imports count, too.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "http-stays-in-http",
      comment:
        "Only internal/http, the public modules of a request and the errors' responses know the platform's HTTP.",
      severity: "error",
      from: {
        path: "^src/",
        pathNot: [
          "^src/internal/(http|contract|testing)/",
          "^src/(Csrf|Flash|Migration|RequestId|RequestContext|RequestContextApi|RequestContextRpc|Session|SessionError|Testing|SessionStoreContract)\\.ts$"
        ]
      },
      to: { path: "node_modules/@effect/platform/.*Http" }
    },
    {
      name: "http-is-the-outermost-layer",
      comment:
        "What a request and a store do is decided without HTTP: internal/http imports them, never the other way.",
      severity: "error",
      from: { path: "^src/internal/", pathNot: "^src/internal/(http|contract|testing)/" },
      to: { path: "^src/internal/http/" }
    },
    {
      name: "request-store-codec-know-no-backend",
      comment:
        "The session of a request and what is built on it, the rules of all stores and the codecs work over any backend.",
      severity: "error",
      from: { path: "^src/internal/(csrf|flash|migration|request|store|codec|edition)/" },
      to: { path: "^src/internal/(cookie/cookieStore|server|memory|redis|sql|keyValueStore)/?" }
    },
    {
      name: "sessions-stand-below-what-uses-them",
      comment: "What is built on the session of a request is paid for where it is used: nothing below imports it.",
      severity: "error",
      from: { path: "^src/internal/", pathNot: "^src/internal/(csrf|flash|http|contract)/" },
      to: { path: "^src/internal/(csrf|flash)/" }
    },
    ...backends.map((backend) => ({
      name: `${backend}-stands-alone`,
      comment: "A backend imports its own folder, the rules of all stores, the codecs and the edition; nothing else.",
      severity: "error",
      from: { path: `^src/internal/${backend}/` },
      to: { path: "^src/internal/", pathNot: `^src/internal/(${backend}|store|codec|edition)/` }
    })),
    {
      name: "public-modules-stay-outside",
      comment:
        "Internals import the public modules of contracts and errors only, so that contracts lie below what uses them.",
      severity: "error",
      from: { path: "^src/internal/", pathNot: "^src/internal/(contract|testing)/" },
      to: {
        path: "^src/",
        pathNot: "^src/(internal/|SessionBackend\\.ts|SessionError\\.ts|SessionKey\\.ts|KeyRing\\.ts)"
      }
    },
    {
      name: "library-without-test-tools",
      comment: "Apps do not load the contract suites and the test tools.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(internal/(contract|testing)/|Testing\\.ts|SessionStoreContract\\.ts)" },
      to: { path: "^src/(internal/(contract|testing)/|Testing\\.ts|SessionStoreContract\\.ts)" }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] }
  }
}
