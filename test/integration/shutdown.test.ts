import { describe, expect, test } from 'vitest';
import { codesOf, DRAIN, draining, ENDLESS, halfRequest, IN_ORDER, sentAway, TOLD } from './ending.ts';
import { anotherPod, get, post } from '../many-pods/world.ts';
import { type Client, open, RawClient, until } from '../support/client.ts';
import { guest, member, namedListener, oldListener, range, settled } from './people.ts';
import { redisOf } from '../faults/world.ts';
import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import type { PodProcess } from '../support/stack/pods.ts';
import type { Socket } from 'node:net';

/** Some clients in a room. */
async function crowd(pod: PodProcess, size: number): Promise<Client[]> {
  const all: Client[] = [];
  for (const n of range(1, size)) all.push(await member(pod, 'room', `user-${n}`));
  return all;
}

/** A connection on which a request was answered and that both sides keep. */
async function keptConnection({ url }: PodProcess, agent: Agent): Promise<Socket> {
  const [response] = (await once(request(`${url}/ws/stats`, { agent }).end(), 'response')) as [
    IncomingMessage,
  ];
  const { socket } = response;
  await once(response.resume(), 'end');
  return socket;
}

describe('A signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s sends every client away with 1012, tells it so if it knows the words, and the process exits with 0',
    async (signal) => {
      const pod = await anotherPod({});
      const [alice, bob] = [await member(pod, 'room', 'alice'), await guest(pod)];
      const old = await oldListener(pod, 'room', 'old', ['broadcast']);
      const named = await namedListener(pod, 'room', 'named', ['broadcast']);
      const [silent, undecided] = [await open(pod, '/ws?dialect=channel'), await open(pod, '/ws')];
      const heardByOld = old.frames.length;
      const exit = pod.stop(signal);
      expect(await codesOf([old, named, silent, undecided])).toEqual([1012, 1012, 1012, 1012]);
      for (const one of [alice, bob]) {
        expect(await sentAway(one)).toBeGreaterThanOrEqual(0);
        expect(one.frames.at(-1)).toMatchObject(DRAIN);
      }
      const told = { type: 'drain', ...TOLD };
      expect(named.frames.at(-1)).toEqual(told);
      expect(silent.frames).toEqual([told]);
      expect(old.frames).toHaveLength(heardByOld);
      expect(undecided.frames).toEqual([]);
      expect(await exit).toEqual(IN_ORDER);
    },
  );

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends a pod without connections with 0', async (signal) => {
    // It does not wait for the end of a window in which nothing is to be done.
    const pod = await anotherPod(ENDLESS);
    expect(await pod.stop(signal)).toEqual(IN_ORDER);
  });

  test('does not take from a client what it was sent before', async () => {
    const pod = await anotherPod({});
    const [alice, bob] = [await member(pod, 'room', 'alice'), await member(pod, 'room', 'bob')];
    for (const n of range(1, 200)) alice.send({ data: n });
    await alice.next({ data: 200 });
    const exit = pod.stop();
    await sentAway(bob);
    expect(await exit).toEqual(IN_ORDER);
    expect(bob.all({ type: 'chat' }).map(({ data }) => data)).toEqual(range(1, 200));
  });
});

describe('A second signal', () => {
  test.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const)('ends a drain at once: %s, then %s', async (first, second) => {
    const pod = await anotherPod(ENDLESS);
    const clients = await crowd(pod, 5);
    const never = await RawClient.open(pod, '/ws/room');
    const exit = pod.stop(first);
    await Promise.race([never.closeCode(), ...clients.map(({ closed }) => closed)]);
    void pod.stop(second);
    // One of the six was sent away when the drain began; all the others had their turn still to come.
    const codes = [...(await codesOf(clients)), await never.closeCode()];
    expect(codes.filter((code) => code === 1012)).toHaveLength(1);
    expect(codes.filter((code) => code === 1001)).toHaveLength(5);
    expect(await exit).toEqual(IN_ORDER);
  });

  test('ends the delay before a drain at once, too', async () => {
    const pod = await anotherPod({ ...ENDLESS, DRAIN_DELAY_SECONDS: '3500' });
    const clients = await crowd(pod, 3);
    const exit = pod.stop();
    await draining(pod);
    for (const one of clients) await settled(one);
    void pod.stop();
    expect(await codesOf(clients)).toEqual([1001, 1001, 1001]);
    for (const one of clients) expect(one.all(DRAIN)).toEqual([]);
    expect(await exit).toEqual(IN_ORDER);
  });
});

describe('SHUTDOWN_TIMEOUT_SECONDS', () => {
  test('ends a pod with 0 whose client never answers the close', async () => {
    const pod = await anotherPod({ SHUTDOWN_TIMEOUT_SECONDS: '2' });
    const client = await RawClient.open(pod, '/ws/room');
    const exit = pod.stop();
    expect(await client.closeCode()).toBe(1012);
    expect(await exit).toEqual(IN_ORDER);
    expect(pod.output()).toContain('"reason":"SHUTDOWN_TIMEOUT_SECONDS"');
  });

  test('ends a pod with 0 whose Redis hangs; who still waits for an answer then is closed with 1001', async () => {
    const redis = await redisOf();
    const pod = await anotherPod({ ...redis.env, SHUTDOWN_TIMEOUT_SECONDS: '1' });
    const [alice, bob] = [await member(pod, 'room', 'alice'), await member(pod, 'room', 'bob')];
    redis.freeze();
    alice.send({ type: 'chat', data: 1, ref: 'asked' });
    await settled(alice);
    const exit = pod.stop();
    await sentAway(bob);
    expect(await codesOf([alice])).toEqual([1001]);
    expect(await exit).toEqual(IN_ORDER);
    expect(pod.output()).toContain('"reason":"SHUTDOWN_TIMEOUT_SECONDS"');
  });

  test('is not waited for where such a client is given up sooner', async () => {
    const pod = await anotherPod({ SHUTDOWN_TIMEOUT_SECONDS: '7200' });
    const client = await RawClient.open(pod, '/ws/room');
    const exit = pod.stop();
    expect(await client.closeCode()).toBe(1012);
    expect(await exit).toEqual(IN_ORDER);
  });
});

describe('The HTTP API of a pod that ends', () => {
  const batch = { messages: range(1, 1_000).map((n) => ({ room: 'room', data: { n } })) };

  test('answers what it was asked before it closed its port', async () => {
    const pod = await anotherPod({});
    const asked = await halfRequest(pod, '/api/messages', batch);
    const exit = pod.stop();
    await until('the port to be closed', () =>
      get(pod, '/ws/stats').then(
        () => false,
        () => true,
      ),
    );
    const { status, headers, body } = await asked.finish();
    expect(status).toBe(200);
    expect(headers.get('connection')).toBe('close');
    expect(body['results']).toEqual(batch.messages.map(() => ({ id: expect.stringMatching(/./) })));
    expect(await exit).toEqual(IN_ORDER);
  });

  test('does not wait for ever for what is never asked to its end', async () => {
    const pod = await anotherPod({ SHUTDOWN_TIMEOUT_SECONDS: '7200' });
    const asked = await halfRequest(pod, '/api/messages', batch);
    expect(await pod.stop()).toEqual(IN_ORDER);
    await expect(asked.finish()).rejects.toThrow(/./);
  });

  test('closes connections on which nothing is asked while it sends clients away, not at its end', async () => {
    const pod = await anotherPod(ENDLESS);
    // The second is there until the end of the window.
    const [first, second] = await crowd(pod, 2);
    const agent = new Agent({ keepAlive: true });
    const idle = await keptConnection(pod, agent);
    const exit = pod.stop();
    await once(idle, 'close');
    expect(await Promise.race([first?.closed, second?.closed])).toMatchObject({ code: 1012 });
    // Whoever makes a new one is served.
    expect(await get(pod, '/ws/stats')).toMatchObject({ status: 200 });
    void pod.stop();
    expect(await exit).toEqual(IN_ORDER);
  });

  test('says with every answer that its connections are closed, and only then', async () => {
    const pod = await anotherPod(ENDLESS);
    // The second is there until the end of the window.
    await crowd(pod, 2);
    const answers = async (): Promise<[number, string | null][]> => {
      const all = [
        await get(pod, '/ws/stats'),
        await get(pod, '/api/rooms/room/presence'),
        await get(pod, '/nothing'),
        await get(pod, '/ws'),
        await post(pod, '/api/messages', batch),
        await post(pod, '/api/event', 'nonsense'),
      ];
      return all.map(({ status, headers }) => [status, headers.get('connection')]);
    };
    const statuses = [200, 200, 404, 426, 200, 400];
    expect(await answers()).toEqual(statuses.map((status) => [status, 'keep-alive']));
    const exit = pod.stop();
    await draining(pod);
    expect(await answers()).toEqual(statuses.map((status) => [status, 'close']));
    void pod.stop();
    expect(await exit).toEqual(IN_ORDER);
  });
});
