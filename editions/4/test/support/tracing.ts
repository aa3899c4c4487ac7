import { type Exit, Layer, Tracer } from "effect"
import { HttpMiddleware } from "effect/http"

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

type Native = InstanceType<typeof Tracer.NativeSpan>

export const observed = ({ attribute, began, ended, event }: Observer): Tracer.Tracer => {
  class Observed extends Tracer.NativeSpan {
    override end(...args: Parameters<Native["end"]>): void {
      super.end(...args)
      ended?.(args[1])
    }
    override attribute(...args: Parameters<Native["attribute"]>): void {
      super.attribute(...args)
      attribute?.(...args)
    }
    override event(...args: Parameters<Native["event"]>): void {
      super.event(...args)
      event?.(args[0], args[2])
    }
  }
  return Tracer.make({
    span: (options) => {
      const span = new Observed(options)
      began(span)
      return span
    }
  })
}

/** A tracer that keeps each span that it makes. */
export const tracerOf = (spans: Array<Span>): Tracer.Tracer => observed({ began: (span) => void spans.push(span) })

/** Spans of the server have each header. */
export const tracing = (spans: Array<Span>): Layer.Layer<never> =>
  Layer.merge(
    Layer.succeed(Tracer.Tracer, tracerOf(spans)),
    Layer.succeed(HttpMiddleware.TracerHeaderFilter, () => true)
  )
