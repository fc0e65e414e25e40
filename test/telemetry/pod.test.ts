import { describe, expect, onTestFinished, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { freePort } from '../support/ports.ts';
import { guest, member, published } from '../integration/people.ts';
import { type ReceivedSpan, Receiver } from './receiver.ts';
import { recordModules } from './programs.ts';
import { until } from '../support/client.ts';

const CALLER = '0af7651916cd43dd8448eb211c80319c';
const CALLER_SPAN = 'b7ad6b7169203331';
const ROUTE = /^POST \/api\/rooms\/[:{]room\}?\/messages$/;

async function receive(): Promise<Receiver> {
  const receiver = await Receiver.start();
  onTestFinished(() => receiver.stop());
  return receiver;
}

async function start(env: Record<string, string>): Promise<Pod> {
  const pod = await startPod(env);
  onTestFinished(async () => void (await pod.stop()));
  return pod;
}

function post(
  pod: Pod,
  room: string,
  data: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${pod.url}/api/rooms/${room}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ data }),
  });
}

describe('A pod without an endpoint for traces', () => {
  test('loads nothing of OpenTelemetry', async () => {
    const { env, modules } = recordModules();
    const pod = await start(env);
    const alice = await member(pod, 'r', 'alice');
    await published(alice, { data: 1 });
    await post(pod, 'r', 2);
    await fetch(`${pod.opsUrl}/metrics`);
    expect(modules().filter((url) => url.includes('opentelemetry'))).toEqual([]);
    expect(modules().some((url) => url.includes('/prom-client/'))).toBe(true);
  });
});

describe('A pod with an endpoint for traces', () => {
  test('loads OpenTelemetry', async () => {
    const receiver = await receive();
    const { env, modules } = recordModules();
    await start({ ...env, ...receiver.env });
    expect(modules().some((url) => url.includes('/@opentelemetry/sdk-node/'))).toBe(true);
  });

  test('traces a message from HTTP to its members as part of its caller’s trace', async () => {
    const receiver = await receive();
    const pod = await start({ ...receiver.env, API_KEYS: 'key' });
    const members = [
      await member(pod, 'secret-room', 'secret-user'),
      await member(pod, 'secret-room', 'bob'),
    ];
    const traceparent = `00-${CALLER}-${CALLER_SPAN}-01`;
    expect((await post(pod, 'secret-room', 'secret-data', { traceparent, 'X-API-Key': 'key' })).status).toBe(
      200,
    );
    for (const one of members) await one.next({ data: 'secret-data' });
    const delivered = await receiver.one('deliver');
    const sent = await receiver.one('publish');
    const request = (): ReceivedSpan | undefined => receiver.spans.find(({ name }) => ROUTE.test(name));
    await until('the span of the request', () => request() !== undefined);
    const asked = request();
    expect(asked).toMatchObject({ traceId: CALLER, parentSpanId: CALLER_SPAN, kind: 2 });
    expect(sent).toMatchObject({ traceId: CALLER, parentSpanId: asked?.spanId, kind: 4 });
    expect(delivered).toMatchObject({ traceId: CALLER, parentSpanId: sent.spanId, kind: 5 });
    expect(delivered.attributes['crosspod.connections']).toBe(2);
    expect(asked?.attributes['http.response.status_code']).toBe(200);
    expect(receiver.text).not.toContain('secret');
    for (const { texts } of members) expect(texts.join('\n')).not.toContain(CALLER);
  });

  test('begins a trace for each kind of publication of a client', async () => {
    const receiver = await receive();
    const pod = await start(receiver.env);
    const alice = await member(pod, 'r', 'alice');
    await published(alice, { data: 1 });
    await published(alice, { data: 2, ephemeral: true });
    await published(alice, { to: 'alice', data: 3 });
    await published(await guest(pod), { data: 4 });
    const delivered = await receiver.first(4, 'deliver');
    const sent = await receiver.first(4, 'publish');
    expect(new Set(sent.map(({ traceId }) => traceId)).size).toBe(4);
    for (const one of delivered) {
      expect(sent.some(({ traceId, spanId }) => traceId === one.traceId && spanId === one.parentSpanId)).toBe(
        true,
      );
    }
    const destinations = sent.map(({ attributes }) => attributes['messaging.destination.template']);
    expect(destinations).toEqual(['{room}', '{room}', '@direct', '@global']);
  });

  test('sends nothing if nothing is sampled, also if the caller did not sample', async () => {
    const receiver = await receive();
    for (const [env, flags] of [
      [{ OTEL_TRACES_SAMPLER: 'always_off' }, '01'],
      [{}, '00'],
    ] as const) {
      const pod = await startPod({ ...receiver.env, ...env, API_KEYS: 'key' });
      const alice = await member(pod, 'r', 'alice');
      await post(pod, 'r', 'unsampled', {
        traceparent: `00-${CALLER}-${CALLER_SPAN}-${flags}`,
        'X-API-Key': 'key',
      });
      await alice.next({ data: 'unsampled' });
      await pod.stop();
    }
    expect(receiver.spans.map(({ name }) => name)).toEqual([]);
  });

  test('does not let callers without a key force sampling', async () => {
    const receiver = await receive();
    const sampler = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };
    const pod = await startPod({ ...receiver.env, ...sampler, API_KEYS: 'key' });
    const headers = { traceparent: `00-${CALLER}-${CALLER_SPAN}-01` };
    const alice = await member(pod, 'r', 'alice');
    expect((await post(pod, 'r', 'stranger', headers)).status).toBe(401);
    expect((await post(pod, 'r', 'liar', { ...headers, 'X-API-Key': 'wrong' })).status).toBe(401);
    expect((await fetch(`${pod.url}/nothing`, { headers })).status).toBe(404);
    expect((await post(pod, 'r', 'known', { ...headers, 'X-API-Key': 'key' })).status).toBe(200);
    await alice.next({ data: 'known' });
    await pod.stop();
    expect(receiver.spans.filter(({ name }) => ROUTE.test(name))).toHaveLength(1);
    expect(receiver.spans).toHaveLength(3);
  });

  test('uses a provider that is already registered, and shuts it down last', async () => {
    const receiver = await receive();
    const imported = { NODE_OPTIONS: `--import=${new URL('registered.ts', import.meta.url).href}` };
    const late = { OTEL_BSP_SCHEDULE_DELAY: '60000', DRAIN_DELAY_SECONDS: '1' };
    const pod = await startPod({ ...receiver.env, ...imported, ...late });
    const alice = await member(pod, 'r', 'alice');
    await published(alice, { data: 1 });
    const stopped = pod.stop();
    await until('the signal', async () => (await fetch(`${pod.opsUrl}/readyz`)).status === 503);
    await published(alice, { data: 2 });
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(receiver.spans.filter(({ name }) => name === 'publish')).toHaveLength(2);
    expect(new Set(receiver.spans.map(({ resource }) => resource['service.name']))).toEqual(
      new Set(['registered']),
    );
    expect(pod.output()).not.toContain('"component":"opentelemetry"');
  });

  test('sends the remaining spans when it stops', async () => {
    const receiver = await receive();
    const pod = await startPod({ ...receiver.env, OTEL_BSP_SCHEDULE_DELAY: '60000' });
    await published(await member(pod, 'r', 'alice'), { data: 1 });
    expect(receiver.spans).toEqual([]);
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    expect(receiver.spans.map(({ name }) => name).toSorted()).toEqual(['deliver', 'publish']);
  });

  test('serves as usual while the receiver is unavailable, and stops by itself', async () => {
    const pod = await startPod({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_BSP_SCHEDULE_DELAY: '10',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
      MESSAGES_PER_SECOND: '0',
    });
    const alice = await member(pod, 'r', 'alice');
    for (let n = 0; n < 500; n += 1) alice.send({ data: n });
    await alice.next({ data: 499 });
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    expect(pod.output()).not.toContain('ending at once');
    expect(pod.output().split('\n').length).toBeLessThan(30);
  });
});
