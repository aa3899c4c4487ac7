import { Layer, Tracer } from "effect"

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

export const tracing = (spans: Array<Span>): Layer.Layer<never> => Layer.succeed(Tracer.Tracer, tracerOf(spans))
