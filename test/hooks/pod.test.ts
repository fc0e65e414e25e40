import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Frame, open, part, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('modules/told.ts', import.meta.url));

let pod: Pod;

beforeAll(async () => {
  pod = await startPod({ HOOKS_MODULE: MODULE, AUTH_ENABLED: 'false' });
});

afterAll(() => pod.stop());

const chat = (what: string | undefined, more: Frame = {}): Frame => ({
  type: 'chat',
  room: 'r',
  data: { do: what },
  ...more,
});

/** Waits until the module has noted these events. */
async function seen(...events: string[]): Promise<void> {
  const reader = await open(pod, '/ws/r?user_id=reader');
  await until(events.join(', '), async () => {
    reader.send(chat('report'));
    const report = await reader.next({ type: 'chat', from: 'reader' });
    const all = part(report, 'data')['seen'] as string[];
    return events.every((event) => all.includes(event));
  });
}

describe('A hook', () => {
  test('sees the connection, the message and the room', async () => {
    const alice = await open(pod, '/ws/r?user_id=alice');
    alice.send({ type: 'chat', event: 'said', data: { do: 'report' } });
    const { data } = await alice.next({ type: 'chat', room: 'r', from: 'alice', event: 'said' });
    const { id } = await alice.next({ event: 'connected' }).then((frame) => ({
      id: part(frame, 'data')['connection_id'],
    }));
    expect(data).toMatchObject({
      id,
      rooms: ['r'],
      message: { type: 'chat', room: 'r', event: 'said', data: null, ephemeral: false },
    });
  });

  test('recognizes direct and global messages', async () => {
    const bob = await open(pod, '/ws?user_id=bob&dialect=message');
    bob.send({ type: 'chat', to: 'bob', data: { do: 'report' } });
    const direct = await bob.next({ type: 'chat', to: 'bob' });
    expect(part(direct, 'data')['message']).toEqual({ type: 'chat', to: 'bob', data: null, ephemeral: true });
    bob.send({ type: 'notification', data: { do: 'report' } });
    const global = await bob.next({ type: 'notification' });
    expect(part(global, 'data')['message']).toEqual({ type: 'notification', data: null, ephemeral: true });
  });

  test('is called in the channel dialect too', async () => {
    const client = await open(pod, '/ws?user_id=old&dialect=channel');
    client.send({ type: 'subscribe', channel: 'c', listen: ['broadcast'] });
    client.send({ type: 'broadcast', channel: 'c', event: 'e', payload: { do: 'suppress' } });
    client.send({ type: 'broadcast', channel: 'c', event: 'e', payload: { do: 'report' } });
    const { payload } = await client.next({ type: 'broadcast', channel: 'c' });
    expect(payload).toMatchObject({ rooms: ['c'], message: { room: 'c', event: 'e' } });
  });

  test('is called when a connection ends, with its rooms and the close code', async () => {
    const carol = await open(pod, '/ws/r?user_id=carol');
    await carol.next({ event: 'joined' });
    await carol.close(1000);
    await seen('carol came to 0 rooms', 'carol left r with 1000');
  });

  test('is called for a connection that it accepted and whose handshake failed', async () => {
    const { status } = await refused(pod, '/ws?user_id=dan', { 'Sec-WebSocket-Protocol': 'a,,b' });
    expect(status).toBe(400);
    await seen('dan came to 0 rooms', 'dan left  with 1006');
  });
});

test('A suppressed message reaches no client; its ref gets an ack without an id', async () => {
  const erin = await open(pod, '/ws/r?user_id=erin');
  erin.send(chat('suppress', { ref: '1' }));
  erin.send(chat(undefined, { ref: '2' }));
  const ack = await erin.next({ type: 'ack', ref: '1' });
  expect(ack).toEqual({ type: 'ack', ref: '1', room: 'r' });
  const { id } = await erin.next({ type: 'ack', ref: '2' });
  await erin.next({ type: 'chat', id });
  expect(erin.all({ type: 'chat', from: 'erin' })).toHaveLength(1);
});

test.each(['throw', 'hang'])('If a hook does %s, its publisher loses only this one message', async (what) => {
  const frank = await open(pod, `/ws/r?user_id=frank-${what}`);
  const grace = await open(pod, `/ws/r?user_id=grace-${what}`);
  frank.send(chat(what, { ref: '1' }));
  frank.send(chat(undefined, { ref: '2' }));
  grace.send(chat(undefined, { ref: '3' }));
  await grace.next({ type: 'ack', ref: '3' });
  await frank.next({ type: 'error', ref: '1', data: { code: 'internal' } });
  await frank.next({ type: 'ack', ref: '2' });
  expect(grace.all({ type: 'error' })).toEqual([]);
  await expect.poll(() => pod.output()).toContain('"hook":"onMessage"');
  expect(pod.output()).not.toContain('a secret');
});

test('Slow hooks keep the order of a connection', async () => {
  const heidi = await open(pod, '/ws/r?user_id=heidi');
  for (const [n, what] of ['slow', 'quick', undefined, 'slow', undefined].entries()) {
    heidi.send(chat(what, { event: String(n) }));
  }
  await heidi.next({ type: 'chat', from: 'heidi', event: '4' });
  const events = heidi.all({ type: 'chat', from: 'heidi' }).map(({ event }) => event);
  expect(events).toEqual(['0', '1', '2', '3', '4']);
});

test('A connection whose hook fails is refused, and may connect again', async () => {
  const { status, body, headers } = await refused(pod, '/ws?user_id=broken');
  expect([status, body['code'], headers['retry-after']]).toEqual([503, 'internal', expect.any(String)]);
});

test.each([
  ['/nowhere/hooks.ts', 'there is no such file'],
  [fileURLToPath(new URL('../support/ports.ts', import.meta.url)), 'it exports no hook'],
])('A pod with HOOKS_MODULE=%s does not start and says: %s', async (path, why) => {
  const output = await startPod({ HOOKS_MODULE: path }).then(() => 'it started', String);
  expect(output).toContain('the pod ended with 1');
  const lines = output.split('\n');
  expect(lines.filter((line) => line.includes('HOOKS_MODULE'))).toEqual([expect.stringContaining(why)]);
});
