import { Layer, Tracer } from "effect"
import { HttpMiddleware } from "effect/http"

export interface Span {
  readonly name: string
  readonly kind: string
  readonly attributes: ReadonlyMap<string, unknown>
}

/** A tracer that keeps each span that it makes. */
export const tracerOf = (spans: Array<Span>): Tracer.Tracer =>
  Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })

/** Spans of the server have each header. */
export const tracing = (spans: Array<Span>): Layer.Layer<never> =>
  Layer.merge(
    Layer.succeed(Tracer.Tracer, tracerOf(spans)),
    Layer.succeed(HttpMiddleware.TracerHeaderFilter, () => true)
  )
