import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type TextMapGetter,
  type Tracer as SdkTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  context,
  propagation,
  trace,
} from '@opentelemetry/api';
import type {
  DeliverySpan,
  Destination,
  RequestOutcome,
  TracedPublication,
  TracedRequest,
  Tracer,
} from '../core/ports/tracer.ts';
import type { Published } from '../core/ports/broker.ts';

const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

const HEADERS: TextMapGetter<TracedRequest> = {
  get: (request, name) => request.header(name),
  keys: () => [],
};

/** Created once, so that a publication that is not sampled costs little. */
const PUBLISH = { kind: SpanKind.PRODUCER, attributes: { ...operation('publish', 'send') } };
const DELIVER = { kind: SpanKind.CONSUMER, attributes: { ...operation('deliver', 'process') } };

/**
 * Creates OpenTelemetry spans with the attributes of its semantic conventions for HTTP and messaging. Paths, rooms,
 * users and error texts are left out, because they may contain client data.
 */
export class SpanTracer implements Tracer {
  readonly #tracer: SdkTracer;

  constructor(tracer: SdkTracer) {
    this.#tracer = tracer;
  }

  request(request: TracedRequest, handle: () => Promise<RequestOutcome>): Promise<void> {
    const caller = propagation.extract(ROOT_CONTEXT, request, HEADERS);
    const parent = request.isKnown ? caller : ROOT_CONTEXT;
    const attributes = { 'http.request.method': request.method };
    const links = request.isKnown ? [] : linksTo(caller);
    const span = this.#tracer.startSpan(request.method, { kind: SpanKind.SERVER, attributes, links }, parent);
    // Also if the span is not sampled, so that its publications are not sampled either.
    return within(parent, span, async () => {
      const { route, status } = await handle();
      span.updateName(`${request.method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': status });
      if (status >= 500) fail(span, String(status));
    });
  }

  publish(
    { destination, type }: TracedPublication,
    work: (trace: string | undefined) => Promise<Published>,
  ): Promise<Published> {
    const span = this.#tracer.startSpan('publish', PUBLISH);
    if (!span.isRecording()) return work(undefined);
    span.setAttributes({ ...about(destination), 'crosspod.message.type': type });
    return within(context.active(), span, async () => {
      const published = await work(traceparent(span));
      span.setAttributes({ 'messaging.message.id': published.id, 'crosspod.duplicate': published.duplicate });
      return published;
    });
  }

  deliver(traced: string, destination: Destination): DeliverySpan | undefined {
    const publication = contextOf(traced);
    if (publication === undefined) return undefined;
    const span = this.#tracer.startSpan('deliver', DELIVER, publication);
    if (!span.isRecording()) return undefined;
    span.setAttributes(about(destination));
    return {
      end: (connections) => {
        span.setAttribute('crosspod.connections', connections);
        span.end();
      },
    };
  }
}

/** A link to the span that an unknown caller claims: its sampling must not count. */
function linksTo(caller: Context): Link[] {
  const claimed = trace.getSpanContext(caller);
  return claimed === undefined ? [] : [{ context: claimed }];
}

/** `trace_id` and `span_id` of the active span, if it is sampled. */
export function activeSpanFields(): object {
  const active = trace.getActiveSpan()?.spanContext();
  if (active === undefined || (active.traceFlags & TraceFlags.SAMPLED) === 0) return {};
  return { trace_id: active.traceId, span_id: active.spanId };
}

/** Runs `work` within the span, and ends the span. */
async function within<Result>(parent: Context, span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    fail(span, error instanceof Error ? error.name : typeof error);
    throw error;
  } finally {
    span.end();
  }
}

function fail(span: Span, type: string): void {
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function operation(name: string, type: string): Attributes {
  return {
    'messaging.system': 'crosspod',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
  };
}

/** Names the template instead of the room, whose name may be personal data. */
function about(destination: Destination): Attributes {
  return { 'messaging.destination.template': destination === 'room' ? '{room}' : destination };
}

function traceparent(span: Span): string {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

function contextOf(traced: string): Context | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traced) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
