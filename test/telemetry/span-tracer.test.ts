import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '../../src/core/ports/log.ts';
import type { RequestOutcome, Tracer } from '../../src/core/ports/tracer.ts';
import { type ReceivedSpan, Receiver } from './receiver.ts';
import { type Tracing, startTracing } from '../../src/telemetry/tracing.ts';
import { until } from '../support/client.ts';

const SERVER = 2;
const PRODUCER = 4;
const CONSUMER = 5;
const ERROR = 2;
const CALLER = '0af7651916cd43dd8448eb211c80319c';
const CALLER_SPAN = 'b7ad6b7169203331';

const lines: string[] = [];
const line = (_: object, message: string): void => void lines.push(message);
const log: Log = { debug: line, info: line, warn: line, error: line };

const receiver = await Receiver.start();
// The SDK reads its settings from the environment of the process; this file has a process of its own.
Object.assign(process.env, receiver.env);
const tracing = await required(startTracing(process.env, log));
const { tracer } = tracing;
afterAll(async () => {
  await tracing.stop();
  receiver.stop();
});

beforeEach(() => {
  receiver.spans.length = 0;
});

async function required(started: Promise<Tracing | undefined>): Promise<Tracing> {
  const one = await started;
  if (one === undefined) throw new Error('tracing did not start');
  return one;
}

function request(
  headers: Record<string, string>,
  handle: () => Promise<RequestOutcome>,
  method = 'POST',
  isKnown = true,
): Promise<void> {
  return tracer.request({ method, isKnown, header: (name) => headers[name] }, handle);
}

/** Publishes as the core does and delivers on so many pods. */
async function publish(pods = 1, to: Tracer = tracer): Promise<string | undefined> {
  let carried: string | undefined;
  await to.publish({ destination: 'room', type: 'chat' }, (trace) => {
    carried = trace;
    return Promise.resolve({ id: 'position-1', duplicate: false });
  });
  if (carried === undefined) return undefined;
  for (let pod = 0; pod < pods; pod += 1) to.deliver(carried, 'room')?.end(3);
  return carried;
}

describe('A request that publishes', () => {
  test('is one trace: request, publish, and a deliver for each pod', async () => {
    await request({}, async () => {
      await publish(2);
      return { route: '/api/rooms/:room/messages', status: 200 };
    });
    const [first, second] = await receiver.first(2, 'deliver');
    const published = await receiver.one('publish');
    const asked = await receiver.one('POST /api/rooms/:room/messages');
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(asked).toMatchObject({
      kind: SERVER,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/api/rooms/:room/messages',
        'http.response.status_code': 200,
      },
    });
    expect(parent(asked)).toBeUndefined();
    expect(published).toMatchObject({
      kind: PRODUCER,
      parentSpanId: asked.spanId,
      attributes: {
        'messaging.system': 'crosspod',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.template': '{room}',
        'messaging.message.id': 'position-1',
        'crosspod.message.type': 'chat',
        'crosspod.duplicate': false,
      },
    });
    for (const delivered of [first, second]) {
      expect(delivered).toMatchObject({
        kind: CONSUMER,
        parentSpanId: published.spanId,
        attributes: { 'messaging.operation.name': 'deliver', 'crosspod.connections': 3 },
      });
    }
    expect(first?.spanId).not.toBe(second?.spanId);
  });

  test('continues the trace of its caller', async () => {
    await request({ traceparent: `00-${CALLER}-${CALLER_SPAN}-01` }, () =>
      Promise.resolve({ route: '/a', status: 200 }),
    );
    expect(await receiver.one('POST /a')).toMatchObject({ traceId: CALLER, parentSpanId: CALLER_SPAN });
  });

  test.each(['01', '00'])(
    'of a caller without a key begins a trace of its own, with a link (sampled: %s)',
    async (flags) => {
      const traceparent = `00-${CALLER}-${CALLER_SPAN}-${flags}`;
      const answer = { route: '/a', status: 401 };
      await request({ traceparent }, () => Promise.resolve(answer), 'POST', false);
      const asked = await receiver.one('POST /a');
      expect(asked.traceId).not.toBe(CALLER);
      expect(parent(asked)).toBeUndefined();
      expect(asked.links).toMatchObject([{ traceId: CALLER, spanId: CALLER_SPAN }]);
    },
  );

  test('whose caller did not sample it leaves no span and no trace on the message', async () => {
    await request({ traceparent: `00-${CALLER}-${CALLER_SPAN}-00` }, async () => {
      expect(await publish()).toBeUndefined();
      expect(tracing.logFields()).toEqual({});
      return { route: '/unsampled', status: 200 };
    });
    await nothingBut('after it');
  });

  test('with an invalid traceparent begins a trace of its own', async () => {
    for (const traceparent of [
      'nonsense',
      '',
      `00-${'0'.repeat(32)}-${CALLER_SPAN}-01`,
      'x'.repeat(10_000),
    ]) {
      await request({ traceparent }, () => Promise.resolve({ route: '/a', status: 200 }));
    }
    const spans = await receiver.first(4, 'POST /a');
    expect(spans.map(parent)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is an error from status 500 on and if it throws, and records only the kind', async () => {
    await request({}, () => Promise.resolve({ route: '/a', status: 503 }));
    await request({}, () => Promise.resolve({ route: '/b', status: 404 }));
    const raised = request({}, () => Promise.reject(new TypeError('of alice')), 'PUT');
    await expect(raised).rejects.toThrow('of alice');
    expect(await receiver.one('POST /a')).toMatchObject({
      status: ERROR,
      attributes: { 'error.type': '503' },
    });
    expect(await receiver.one('POST /b')).toMatchObject({ status: 0 });
    expect(await receiver.one('PUT')).toMatchObject({
      status: ERROR,
      attributes: { 'error.type': 'TypeError' },
    });
    expect(receiver.text).not.toContain('of alice');
  });
});

describe('A publication', () => {
  test('outside of any request begins a trace', async () => {
    const carried = await publish(0);
    const published = await receiver.one('publish');
    expect(parent(published)).toBeUndefined();
    expect(carried).toBe(`00-${published.traceId}-${published.spanId}-01`);
  });

  test('runs synchronously, so that the order of publications stays', async () => {
    const order: number[] = [];
    const work = (n: number) => () => {
      order.push(n);
      return Promise.resolve({ id: '', duplicate: false });
    };
    const all = [1, 2, 3].map((n) => tracer.publish({ destination: '@global', type: 'chat' }, work(n)));
    expect(order).toEqual([1, 2, 3]);
    await Promise.all(all);
    await receiver.first(3, 'publish');
  });

  test('that fails throws the same error, and its span is an error', async () => {
    const failing = tracer.publish({ destination: '@direct', type: 'chat' }, () =>
      Promise.reject(new RangeError('secret')),
    );
    await expect(failing).rejects.toThrow('secret');
    expect(await receiver.one('publish')).toMatchObject({
      status: ERROR,
      attributes: { 'error.type': 'RangeError', 'messaging.destination.template': '@direct' },
    });
    expect(receiver.text).not.toContain('secret');
  });

  test('lasts until the work is done', async () => {
    await tracer.publish({ destination: 'room', type: 'chat' }, async () => {
      // The work itself: its length is measured.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { id: '', duplicate: false };
    });
    const { startTimeUnixNano: start, endTimeUnixNano: end } = await receiver.one('publish');
    expect(Number(BigInt(end) - BigInt(start)) / 1e6).toBeGreaterThan(40);
  });
});

describe('A delivery', () => {
  test('with an invalid trace, or one that is not sampled, has no span', async () => {
    expect(tracer.deliver('nonsense', 'room')).toBeUndefined();
    expect(tracer.deliver(`00-${CALLER}-${CALLER_SPAN}-00`, 'room')).toBeUndefined();
    await nothingBut('after it');
  });
});

describe('A log line', () => {
  test('carries the ids of its span, however much later it is written', async () => {
    let [inside, later]: object[] = [];
    await request({}, async () => {
      inside = tracing.logFields();
      await new Promise((resolve) => void setImmediate(resolve));
      later = tracing.logFields();
      return { route: '/log', status: 200 };
    });
    const { traceId, spanId } = await receiver.one('POST /log');
    expect(inside).toEqual({ trace_id: traceId, span_id: spanId });
    expect(later).toEqual(inside);
    expect(tracing.logFields()).toEqual({});
  });
});

test('Spans name their service and version', async () => {
  await publish();
  const { resource } = await receiver.one('publish');
  expect(resource).toMatchObject({ 'service.name': 'crosspod' });
  expect(lines).toEqual([]);
});

function parent({ parentSpanId }: ReceivedSpan): string | undefined {
  return parentSpanId === '' ? undefined : parentSpanId;
}

/** Sends a span that comes after everything before, and finds no other. */
async function nothingBut(name: string): Promise<void> {
  await request({}, () => Promise.resolve({ route: name, status: 200 }));
  await until(name, () => receiver.spans.length > 0);
  expect(receiver.spans.map((span) => span.name)).toEqual([`POST ${name}`]);
}
