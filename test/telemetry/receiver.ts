import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../support/client.ts';

/** A span as it came over the wire. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** https://opentelemetry.io/docs/specs/otlp: 2 is SERVER, 4 PRODUCER, 5 CONSUMER. */
  readonly kind: number;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 is an error. */
  readonly status: number;
  /** What its resource says, `service.name` for one. */
  readonly resource: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface WireSpan extends Omit<ReceivedSpan, 'attributes' | 'status' | 'resource'> {
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** An OpenTelemetry collector, as far as a test needs one: OTLP over HTTP, in JSON. */
export class Receiver {
  readonly spans: ReceivedSpan[] = [];
  /** What was asked of it: path and media type. */
  readonly requests: { path: string; type: string }[] = [];
  /** All bodies as they came. */
  text = '';
  readonly #server = createServer((request, response) => {
    void this.#take(request).then(() => response.setHeader('content-type', 'application/json').end('{}'));
  });

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a process needs to send its spans here, soon. */
  get env(): Record<string, string> {
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '20',
    };
  }

  named(name: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** All spans of the name, once there are so many. */
  async first(count: number, name: string): Promise<ReceivedSpan[]> {
    await until(`${count} × ${name}`, () => this.named(name).length >= count);
    return this.named(name);
  }

  /** The one span of the name; waits for it. */
  async one(name: string): Promise<ReceivedSpan> {
    const [span, ...others] = await this.first(1, name);
    if (span === undefined || others.length > 0) throw new Error(`${others.length + 1} spans ${name}`);
    return span;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage): Promise<void> {
    const type = String(request.headers['content-type']);
    this.requests.push({ path: request.url ?? '', type });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.text += text;
    if (type.includes('json')) this.spans.push(...spansOf(JSON.parse(text) as Export));
  }
}

function spansOf({ resourceSpans }: Export): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: valuesOf(span.attributes),
        status: span.status?.code ?? 0,
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

function valuesOf(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
