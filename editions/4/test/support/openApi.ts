import type { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"

/** The document of an `HttpApi` that declares each of the errors. */
export const documentOf = (error: ReadonlyArray<Schema.Top>): OpenApi.OpenAPISpec =>
  OpenApi.fromApi(
    HttpApi.make("api").add(HttpApiGroup.make("group").add(HttpApiEndpoint.get("all", "/all", { error })))
  )

/** What a document calls the component of that schema. */
export const componentOf = (name: string): string => `${name}Encoded`

/** What a document says of the error: where several have one status, their descriptions are in the order of their schemas. */
export const descriptionOf = (document: OpenApi.OpenAPISpec, name: string): string => {
  const ref = `#/components/schemas/${componentOf(name)}`
  for (const { content, description } of Object.values(document.paths["/all"].get!.responses)) {
    const schema = content?.["application/json"]?.schema as { $ref?: string; anyOf?: ReadonlyArray<{ $ref?: string }> }
    const index = (schema?.anyOf ?? [schema]).findIndex((each) => each?.$ref === ref)
    if (index >= 0) return description.split(" | ")[index]
  }
  return ""
}
