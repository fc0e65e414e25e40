import { describe, expect, test } from 'vitest';
import {
  codesOf,
  DRAIN,
  draining,
  ENDLESS,
  exitOf,
  halfRequest,
  IN_ORDER,
  patiently,
  sentAway,
} from './ending.ts';
import { anotherPod, metric } from '../many-pods/world.ts';
import { type Client, type Frame, RawClient, refused, until } from '../support/client.ts';
import { connections, guest, member, range, settled } from './people.ts';
import type { PodProcess } from '../support/stack/pods.ts';

describe('The closes of a drain', () => {
  // Ten clients: every 300 ms one is sent away, and no pod takes more than three a second.
  const env = { DRAIN_WINDOW_SECONDS: '3', HANDSHAKES_PER_SECOND: '3' };
  const count = 10;

  async function people(pod: PodProcess): Promise<Client[]> {
    const all: Client[] = [];
    for (const n of range(1, count)) all.push(await patiently(() => member(pod, 'room', `user-${n}`)));
    return all;
  }

  test('are spread over the window, evenly, in an order of their own, and until then all is as ever', async () => {
    const pod = await anotherPod(env);
    const clients = await people(pod);
    const order: Client[] = [];
    for (const one of clients) void one.closed.then(() => order.push(one));
    const exit = pod.stop();
    await Promise.race(clients.map(({ closed }) => closed));
    const stayed = clients.filter((one) => !order.includes(one));
    expect(stayed.length).toBeGreaterThan(0);
    for (const one of stayed) one.send({ type: 'chat', data: { by: clients.indexOf(one) }, ref: 'said' });
    await codesOf(clients);
    const last = order.at(-1) as Client;
    expect(last.all({ type: 'ack', ref: 'said' })).toHaveLength(1);
    for (const one of stayed) {
      const said = { type: 'chat', data: { by: clients.indexOf(one) } };
      expect(last.all(said)).toHaveLength(1);
    }
    // Everybody has a place in the schedule; the later, the longer the pods are busy with those before.
    const told = await Promise.all(clients.map((one) => sentAway(one)));
    expect(Math.min(...told)).toBe(0);
    expect(new Set(told).size).toBeGreaterThan(count / 2);
    expect(order).not.toEqual(clients);
    expect(await exit).toEqual(IN_ORDER);
  });

  test('are in another order on every pod', async () => {
    const pods = await Promise.all([anotherPod(env), anotherPod(env)]);
    const orders = await Promise.all(
      pods.map(async (pod) => {
        const clients = await people(pod);
        void pod.stop();
        const order: number[] = [];
        await Promise.all(clients.map((one, index) => one.closed.then(() => order.push(index))));
        return order;
      }),
    );
    expect(orders[0]).not.toEqual(orders[1]);
  });
});

describe('From SIGTERM on a pod', () => {
  test('is not ready, and lets people in until the delay is over; then it refuses them and says why', async () => {
    const pod = await anotherPod({ DRAIN_DELAY_SECONDS: '4' });
    const early = await guest(pod);
    // It does not answer the close, so that the pod stays.
    const stubborn = await RawClient.open(pod, '/ws/room');
    const exit = pod.stop();
    await draining(pod);
    const late = await guest(pod);
    await settled(early);
    for (const one of [early, late]) expect(one.all(DRAIN)).toEqual([]);
    for (const one of [early, late]) await sentAway(one);
    const refusal = await refused(pod, '/ws');
    expect(refusal).toMatchObject({ status: 503, body: { error: 'draining', code: 'draining' } });
    expect(refusal.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    const answer = await fetch(`${pod.url}/ws?explain=1`);
    expect([answer.status, await answer.json()]).toEqual([503, refusal.body]);
    expect(answer.headers.get('retry-after')).toBe(refusal.headers['retry-after']);
    expect((await fetch(`${pod.opsUrl}/livez`)).status).toBe(200);
    stubborn.socket.destroy();
    expect(await exit).toEqual(IN_ORDER);
  });

  test('is alive, and tells how much of the drain is done', async () => {
    const pod = await anotherPod({});
    const progress = (): Promise<number> => metric(pod, 'realtime_drain_progress');
    const client = await guest(pod);
    const stubborn = await RawClient.open(pod, '/ws/room');
    // Keeps the pod from ending when all are gone.
    const asked = await halfRequest(pod, '/api/event', { channel: 'room', payload: 1 });
    await connections(pod, 2);
    expect(await progress()).toBe(0);
    const exit = pod.stop();
    await sentAway(client);
    await until('half of the drain', async () => (await progress()) === 0.5);
    expect((await fetch(`${pod.opsUrl}/livez`)).status).toBe(200);
    stubborn.socket.destroy();
    await until('the whole drain', async () => (await progress()) === 1);
    await draining(pod);
    expect(await asked.finish()).toMatchObject({ status: 200 });
    expect(await exit).toEqual(IN_ORDER);
  });
});

describe('POST /drain', () => {
  const ask = async ({ opsUrl }: PodProcess, method = 'POST'): Promise<[number, Frame]> => {
    const answer = await fetch(`${opsUrl}/drain`, { method });
    return [answer.status, (await answer.json()) as Frame];
  };

  test('does what SIGTERM does, and asked again does not hurry', async () => {
    const pod = await anotherPod({ DRAIN_WINDOW_SECONDS: '3' });
    const clients: Client[] = [];
    for (const n of range(1, 3)) clients.push(await member(pod, 'room', `user-${n}`));
    expect(await ask(pod)).toEqual([202, { status: 'draining' }]);
    await draining(pod);
    await Promise.race(clients.map(({ closed }) => closed));
    expect(await ask(pod)).toEqual([202, { status: 'draining' }]);
    for (const one of clients) await sentAway(one);
    expect(await exitOf(pod)).toEqual(IN_ORDER);
  });

  test('goes on through the signal that follows a preStop hook, and is cut short by a second', async () => {
    const pod = await anotherPod(ENDLESS);
    const clients = [await guest(pod), await guest(pod)];
    await ask(pod);
    await Promise.race(clients.map(({ closed }) => closed));
    const exit = pod.stop('SIGINT');
    await until('the signal to be noticed', () => pod.output().includes('the pod is already ending'));
    for (const one of clients.filter(({ ws }) => ws.readyState === ws.OPEN)) await settled(one);
    await pod.stop('SIGTERM');
    expect(await exit).toEqual(IN_ORDER);
    expect(await codesOf(clients)).toEqual([1001, 1012]);
  });

  test.each(['Origin', 'Sec-Fetch-Site'])(
    'is refused to pages of browsers, which send %s',
    async (header) => {
      const pod = await anotherPod({});
      const client = await guest(pod);
      const answer = await fetch(`${pod.opsUrl}/drain`, {
        method: 'POST',
        headers: { [header]: 'https://a.example' },
      });
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'forbidden' }]);
      await settled(client);
    },
  );

  test.each(['GET', 'PUT', 'DELETE'])('is not to be had by %s, which changes nothing', async (method) => {
    const pod = await anotherPod({});
    const client = await guest(pod);
    expect(await ask(pod, method)).toMatchObject([404, { code: 'not_found' }]);
    await settled(client);
    expect((await fetch(`${pod.opsUrl}/readyz`)).status).toBe(200);
  });
});
