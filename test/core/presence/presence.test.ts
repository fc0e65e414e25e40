import { describe, expect, test } from 'vitest';
import { channelDialect } from '../../../src/protocol/dialects.ts';
import { eventDelivery, presenceDelivery } from '../../../src/core/delivery/delivery.ts';
import { MemoryBudget } from '../../../src/engines/shared/memory-budget.ts';
import { LISTEN } from '../../../src/protocol/command.ts';
import { MemoryPresence } from '../../../src/engines/memory/presence.ts';
import type { PresenceReceiver } from '../../../src/core/ports/presence-store.ts';
import { Refused } from '../../../src/core/base/refused.ts';
import { Roster } from '../../../src/core/presence/roster.ts';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';

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

  test('a tab that is lost has its grace, whatever another tab does meanwhile', async () => {
    const { pod, seen } = await watched();
    const lost = pod.connect('alice', { room: 'r' });
    await turns();
    pod.gateway.closed(lost.connection, 1006);
    pod.clock.advance(4_000);
    const other = pod.connect('alice', { room: 'r' });
    await turns();
    pod.gateway.closed(other.connection, 1000);
    pod.clock.advance(999);
    await turns();
    expect(seen()).toEqual(['alice online']);
    pod.clock.advance(1);
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test('whoever resumes within the grace and then closes with 1000 is gone at once', async () => {
    const { pod, seen } = await watched();
    const lost = pod.connect('alice', { room: 'r' });
    await turns();
    pod.gateway.closed(lost.connection, 1006);
    const back = pod.connect('alice', { room: 'r', lastId: pod.pod.hub.room('r')?.history.lastPosition });
    await turns();
    pod.gateway.closed(back.connection, 1000);
    await turns();
    expect(seen()).toEqual(['alice online', 'alice offline']);
  });

  test.each([
    ['that resumes the channel takes the place of one that was lost', true],
    ['that comes anew leaves one that was lost its grace', false],
  ])('a tab of the channel dialect %s', async (_, resumes) => {
    const { pod, seen } = await watched();
    const tab = async (more: object): Promise<ReturnType<TestPod['connect']>> => {
      const one = pod.connect('alice', {}, channelDialect);
      one.send({ type: 'subscribe', channel: 'r', ...more });
      one.send({ type: 'presence_join', channel: 'r', payload: {} });
      await turns();
      return one;
    };
    const lost = await tab({});
    pod.gateway.closed(lost.connection, 1006);
    const other = await tab(resumes ? { last_id: pod.pod.hub.room('r')?.history.lastPosition } : {});
    const before = seen();
    pod.gateway.closed(other.connection, 1000);
    await turns();
    expect(seen().slice(before.length)).toEqual(resumes ? ['alice offline'] : []);
    pod.clock.advance(5_000);
    await turns();
    expect(seen().slice(before.length)).toEqual(['alice offline']);
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

  test('whoever is told an older list right after joining is told of itself behind it', async () => {
    const { pod } = await watched();
    const { roster, hub, framer } = pod.pod;
    const list = roster.list.bind(roster);
    const about = { room: 'r', at: 0 };
    const member = { userId: 'alice', status: 'online', meta: '{}', updatedAt: 0 } as const;
    roster.list = async (...asked) => {
      const found = await list(...asked);
      // Read before alice was there, it is told before she is a member; what came since is told again behind it.
      const census = { kind: 'census', count: 0, members: [], ...about } as const;
      hub.room('r')?.deliver(eventDelivery(census, LISTEN.lists, framer));
      hub
        .room('r')
        ?.deliver(presenceDelivery({ kind: 'presence', change: 'join', member, ...about }, framer));
      return found;
    };
    const { socket } = pod.connect('alice', { room: 'r' });
    await turns();
    const told = socket.frames.map(({ event, type }) => event ?? type);
    expect(told).toEqual(['connected', 'joined', 'members', 'presence']);
  });

  test('whoever joins before the store is back is told who is there when it is, also if that is before he is a member', async () => {
    const pod = new TestPod();
    const { hub, clock, framer, limits, log, rules } = pod.pod;
    const store = new MemoryPresence(clock, new MemoryBudget(1_048_576));
    let receiver: PresenceReceiver | undefined;
    const start = store.start.bind(store);
    store.start = (given) => start((receiver = given));
    const list = store.list.bind(store);
    const roster = new Roster({ store, hub, clock, framer, rules, limits, log });
    Object.assign(pod.pod, { roster });
    await roster.start();
    await store.enter('r', { connectionId: 'elsewhere', userId: 'bob' });
    store.list = async () => {
      store.list = list;
      receiver?.uncertain(() => true);
      await turns();
      throw new Refused('unavailable');
    };
    const { socket } = pod.connect('alice', { room: 'r' });
    await turns(9);
    const lists = socket.frames.flatMap(({ data }) => {
      const { members } = (data ?? {}) as { members?: Seen[] };
      return members === undefined ? [] : [members.map(({ user_id: user }) => user).join()];
    });
    expect(lists.at(-1)).toBe('bob,alice');
  });

  test.each([
    ['knows it', ['watcher'], ['alice online', 'alice offline']],
    ['is older', ['watcher', 'alice'], ['alice online', 'alice offline', 'alice offline']],
  ])(
    'who leaves while a list is read is told of once more only where the list %s',
    async (_, listed, told) => {
      const pod = new TestPod();
      const watcher = pod.connect('watcher');
      watcher.send({ type: 'join', room: 'r' });
      await turns();
      let receiver: PresenceReceiver | undefined;
      const store = new MemoryPresence(pod.clock, new MemoryBudget(1_048_576));
      const start = store.start.bind(store);
      store.start = (given) => start((receiver = given));
      await new Roster({ ...pod.pod, store, log: pod.pod.log }).start();
      await store.enter('r', { connectionId: 'w', userId: 'watcher' });
      await store.enter('r', { connectionId: 'a', userId: 'alice' });
      const list = store.list.bind(store);
      store.list = async (...asked) => {
        const { members } = await list(...asked);
        await store.exit('r', { connectionId: 'a', userId: 'alice' });
        const known = members.filter(({ userId }) => listed.includes(userId));
        return { members: known, count: known.length };
      };
      receiver?.uncertain(() => true);
      await turns(9);
      expect(presence(watcher.socket).filter((text) => text.startsWith('alice'))).toEqual(told);
    },
  );

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

  test('where changes may have gone unheard, whoever wants no list is told the number', async () => {
    const pod = new TestPod();
    const [listed, counted] = [pod.connect('alice'), pod.connect('bob')];
    listed.send({ type: 'join', room: 'r' });
    await turns();
    let receiver: PresenceReceiver | undefined;
    const store = new MemoryPresence(pod.clock, new MemoryBudget(1_048_576));
    store.start = async (given) => void (receiver = given);
    await new Roster({ ...pod.pod, store, log: pod.pod.log }).start();
    await store.enter('r', { connectionId: 'c', userId: 'carol' });
    const told = ({ socket }: typeof listed): unknown[] =>
      socket.frames.filter(({ event }) => event === 'members').map(({ data }) => data);
    const list = { count: 1, members: [{ user_id: 'carol' }] };
    receiver?.uncertain(() => true);
    await turns();
    expect(told(listed)).toMatchObject([list]);
    counted.send({ type: 'join', room: 'r', members: false });
    await turns();
    receiver?.uncertain(() => true);
    await turns();
    expect(told(counted)).toEqual([{ count: 1 }]);
    expect(told(listed)).toMatchObject([list, { count: 1 }, list]);
  });
});
