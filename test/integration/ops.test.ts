import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, type Frame, until } from '../support/client.ts';
import { connections, guest, join, member, oldListener, published, settled } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

async function metrics(): Promise<{ type: string | null; text: string }> {
  const answer = await fetch(`${pod.opsUrl}/metrics`);
  expect(answer.status).toBe(200);
  return { type: answer.headers.get('content-type'), text: await answer.text() };
}

/** The value of a metric without labels. */
async function value(name: string): Promise<number> {
  const { text } = await metrics();
  const [line = ''] = text.split('\n').filter((one) => one.startsWith(`${name} `));
  expect(line).toMatch(new RegExp(`^${name} \\d+$`));
  return Number(line.split(' ')[1]);
}

async function json(url: string): Promise<{ status: number; body: Frame }> {
  const answer = await fetch(url);
  return { status: answer.status, body: (await answer.json()) as Frame };
}

describe('/livez and /readyz', () => {
  test('are 200 on the ops port of a pod that runs', async () => {
    expect((await fetch(`${pod.opsUrl}/livez`)).status).toBe(200);
    expect((await fetch(`${pod.opsUrl}/readyz`)).status).toBe(200);
  });

  test('and /metrics are not served where clients connect', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      expect((await fetch(`${pod.url}${path}`)).status).toBe(404);
    }
  });
});

describe('/ws/stats', () => {
  test('counts connections and rooms as they come and go', async () => {
    await connections(pod, 0);
    expect(await json(`${pod.url}/ws/stats`)).toEqual({
      status: 200,
      body: { pod: expect.stringMatching(/./), connections: 0, rooms: 0, uptime_seconds: expect.any(Number) },
    });
    const alice = await member(pod, 'one', 'alice');
    await join(alice, 'two');
    const bob = await member(pod, 'two', 'bob');
    const zoe = await oldListener(pod, 'three', 'zoe', ['broadcast']);
    await guest(pod);
    // zoe listens to a channel of her own as well: her marker.
    expect((await json(`${pod.url}/ws/stats`)).body).toMatchObject({ connections: 4, rooms: 4 });
    await zoe.close(1000);
    alice.send({ type: 'leave', room: 'one' });
    await alice.next({ event: 'left' });
    await connections(pod, 3);
    expect((await json(`${pod.url}/ws/stats`)).body).toMatchObject({ connections: 3, rooms: 1 });
    await alice.terminate();
    await bob.terminate();
    await connections(pod, 1);
    expect((await json(`${pod.url}/ws/stats`)).body).toMatchObject({ rooms: 0 });
  });

  test('does not count a room to which somebody only publishes', async () => {
    await connections(pod, 0);
    await published(await guest(pod), { room: 'nobody-there', data: 1 });
    expect((await json(`${pod.url}/ws/stats`)).body).toMatchObject({ connections: 1, rooms: 0 });
  });

  test('has an uptime in whole seconds', async () => {
    const { body } = await json(`${pod.url}/ws/stats`);
    expect(body['uptime_seconds']).toSatisfy((seconds: number) => Number.isInteger(seconds) && seconds < 600);
  });
});

describe('/metrics', () => {
  test('is in the Prometheus text format 0.0.4', async () => {
    const { type, text } = await metrics();
    expect(type).toMatch(/^text\/plain;.*version=0\.0\.4/);
    for (const line of text.split('\n')) {
      expect(line).toMatch(
        /^(|# (HELP|TYPE) [a-z_:][\w:]* .+|[a-z_:][\w:]*(\{.*\})? (-?[\d.e+-]+|NaN|[+-]Inf))$/,
      );
    }
  });

  test.each([
    ['realtime_connections_total', 'gauge'],
    ['realtime_rooms_total', 'gauge'],
    ['realtime_messages_sent', 'counter'],
    ['realtime_messages_received', 'counter'],
    ['realtime_redis_publish_errors', 'counter'],
  ])('has %s, a %s without labels', async (name, type) => {
    const { text } = await metrics();
    expect(text).toContain(`# TYPE ${name} ${type}\n`);
    expect(text).toMatch(new RegExp(`^# HELP ${name} .+$`, 'm'));
    expect(await value(name)).toBeGreaterThanOrEqual(0);
    expect(text).not.toContain(`${name}{`);
  });

  test('counts connections and rooms that are open', async () => {
    await connections(pod, 0);
    expect(await value('realtime_connections_total')).toBe(0);
    expect(await value('realtime_rooms_total')).toBe(0);
    const alice = await member(pod, 'a', 'alice');
    await join(alice, 'b');
    await member(pod, 'b', 'bob');
    expect(await value('realtime_connections_total')).toBe(2);
    expect(await value('realtime_rooms_total')).toBe(2);
    await alice.close(1000);
    await until('one connection', async () => (await value('realtime_connections_total')) === 1);
    expect(await value('realtime_rooms_total')).toBe(1);
  });

  test('counts every frame that was delivered to a socket and every one that came from a client', async () => {
    await connections(pod, 0);
    const [sent, received] = [
      await value('realtime_messages_sent'),
      await value('realtime_messages_received'),
    ];
    const clients: Client[] = [];
    for (const user of ['alice', 'bob', 'carol']) clients.push(await member(pod, 'counted', user));
    const [alice] = clients;
    if (alice === undefined) throw new Error('alice is needed');
    for (let n = 0; n < 10; n += 1) alice.send({ data: n });
    alice.send('nonsense');
    for (const one of clients) await one.next({ data: 9 });
    for (const one of clients) await settled(one);
    const delivered = clients.reduce((sum, { frames }) => sum + frames.length, 0);
    // Each was greeted and joined, heard who came later, ten chats and its pong; alice heard of her error.
    expect(delivered).toBe(3 * (1 + 1 + 10 + 1) + (2 + 1) + 1);
    expect(await value('realtime_messages_sent')).toBe(sent + delivered);
    expect(await value('realtime_messages_received')).toBe(received + 10 + 1 + 3);
  });

  test('has no label with a room, a user or an id', async () => {
    const alice = await member(pod, 'secret-room', 'secret-user');
    const id = await published(alice, { data: 1 });
    const { text } = await metrics();
    for (const secret of ['secret-room', 'secret-user', id]) expect(text).not.toContain(secret);
  });
});
