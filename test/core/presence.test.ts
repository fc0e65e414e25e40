import { describe, expect, test } from 'vitest';
import { TestPod, type TestSocket, turns } from '../support/test-pod.ts';

interface Seen {
  readonly user_id: string;
  readonly status: string;
}

const presence = (socket: TestSocket): string[] =>
  socket.frames
    .filter(({ type }) => type === 'presence')
    .map(({ data }) => `${(data as Seen).user_id} ${(data as Seen).status}`);

async function watched(limits = {}): Promise<{ pod: TestPod; seen: () => string[] }> {
  const pod = new TestPod(limits);
  const { socket } = pod.connect('watcher', { room: 'r' });
  await turns();
  return { pod, seen: () => presence(socket) };
}

describe('presence', () => {
  test('a user comes with the first connection and goes with the last', async () => {
    const { pod, seen } = await watched();
    const one = pod.connect('alice', { room: 'r' });
    const two = pod.connect('alice', { room: 'r' });
    await turns();
    one.send({ type: 'leave' });
    await turns();
    expect(seen()).toEqual(['alice online']);
    two.send({ type: 'leave' });
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test('a lost connection leaves when the grace is over, and not before', async () => {
    const { pod, seen } = await watched();
    const alice = pod.connect('alice', { room: 'r' });
    await turns();
    pod.gateway.closed(alice.connection, 1006);
    pod.clock.advance(4_999);
    await turns();
    expect(seen()).toEqual(['alice online']);
    pod.clock.advance(1);
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test('a connection that ends with 1000 leaves at once', async () => {
    const { pod, seen } = await watched();
    const alice = pod.connect('alice', { room: 'r' });
    await turns();
    pod.gateway.closed(alice.connection, 1000);
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test('whoever is back within the grace has never left, and keeps status and meta', async () => {
    const { pod, seen } = await watched();
    const alice = pod.connect('alice', { room: 'r' });
    await turns();
    alice.send({ type: 'presence', data: { status: 'away', meta: { device: 'phone' } } });
    await turns();
    pod.gateway.closed(alice.connection, 1006);
    pod.clock.advance(4_000);
    pod.connect('alice', { room: 'r' });
    await turns();
    pod.clock.advance(60_000);
    await turns();
    expect(seen()).toEqual(['alice online', 'alice away']);
    const { members } = await pod.pod.roster.list('r');
    expect(members.find(({ userId }) => userId === 'alice')).toMatchObject({
      status: 'away',
      meta: '{"device":"phone"}',
    });
  });

  test('offline of one connection hides only that one', async () => {
    const { pod, seen } = await watched();
    const one = pod.connect('alice', { room: 'r' });
    const two = pod.connect('alice', { room: 'r' });
    await turns();
    one.send({ type: 'presence', data: { status: 'offline' } });
    await turns();
    expect(seen()).toEqual(['alice online']);
    two.send({ type: 'presence', data: { status: 'offline' } });
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
    one.send({ type: 'presence', data: { status: 'online' } });
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline', 'alice online']);
  });

  test('a connection that goes while it is about to join is no ghost', async () => {
    const { pod, seen } = await watched();
    const alice = pod.connect('alice', { room: 'r' });
    pod.gateway.closed(alice.connection, 1006);
    await turns();
    pod.clock.advance(5_000);
    await turns();
    expect((await pod.pod.roster.list('r')).members.map(({ userId }) => userId)).toEqual(['watcher']);
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test('in a large room the number is told, at most once a second, instead of every name', async () => {
    const { pod } = await watched({ presenceEventsLimit: 3 });
    const { socket } = pod.connect('second', { room: 'r' });
    await turns();
    for (let n = 0; n < 5; n += 1) pod.connect(`u${n}`, { room: 'r' });
    await turns();
    pod.clock.advance(1_000);
    await turns();
    const counts = socket.frames.filter(({ event }) => event === 'members').map(({ data }) => data);
    expect(counts).toEqual([{ count: 7 }]);
    expect(presence(socket)).toEqual(['u0 online']);
    const { members, count } = await pod.pod.roster.list('r');
    expect([members.length, count]).toEqual([3, 7]);
  });
});
