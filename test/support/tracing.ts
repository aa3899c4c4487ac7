import { type Exit, Layer, Tracer } from "effect"

export interface Span {
  readonly name: string
  readonly kind: string
  readonly attributes: ReadonlyMap<string, unknown>
}

/** What happens to spans. */
export interface Observer {
  readonly began: (span: Span) => void
  readonly attribute?: (key: string, value: unknown) => void
  readonly event?: (name: string, attributes: unknown) => void
  readonly ended?: (exit: Exit.Exit<unknown, unknown>) => void
}

export const observed = ({ attribute, began, ended, event }: Observer): Tracer.Tracer =>
  Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind, options) => {
      const attributes = new Map<string, unknown>(Object.entries(options?.attributes ?? {}))
      began({ name, kind, attributes })
      return {
        _tag: "Span",
        name,
        spanId: "1",
        traceId: "1",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: (_, exit) => ended?.(exit),
        attribute: (key, value) => {
          attributes.set(key, value)
          attribute?.(key, value)
        },
        event: (name, _, attributes) => event?.(name, attributes),
        addLinks: () => undefined
      }
    }
  })

/** A tracer that keeps each span that it makes. */
export const tracerOf = (spans: Array<Span>): Tracer.Tracer => observed({ began: (span) => void spans.push(span) })

export const tracing = (spans: Array<Span>): Layer.Layer<never> => Layer.setTracer(tracerOf(spans))
