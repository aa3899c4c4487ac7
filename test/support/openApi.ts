import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Schema } from "effect"

/** The document of an `HttpApi` that declares each of the errors. */
export const documentOf = (errors: ReadonlyArray<Schema.Schema.All>): OpenApi.OpenAPISpec =>
  OpenApi.fromApi(
    HttpApi.make("api").add(
      HttpApiGroup.make("group").add(
        HttpApiEndpoint.get("all", "/all").addSuccess(Schema.Void).addError(
          Schema.Union(...errors) as unknown as Schema.Schema<unknown>
        )
      )
    )
  )

/** What a document calls the component of that schema. */
export const componentOf = (name: string): string => name

/** What a document says of the error. */
export const descriptionOf = (document: OpenApi.OpenAPISpec, name: string): string =>
  String(document.components.schemas[name].description)
