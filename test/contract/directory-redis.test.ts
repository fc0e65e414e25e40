import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/ports/clock.ts';
import { systemClock } from '../../src/platform.ts';
import { sharedDirectoryContract } from './shared-directory.ts';
import { directoryContract, Holding, NO_ANSWER } from './directory.ts';
import type { Backbone } from '../../src/engines/redis/connection/backbone.ts';
import type { DirectorySource } from '../../src/core/ports/directory.ts';
import { PATIENT } from '../many-pods/world.ts';
import { isUnavailable } from '../../src/core/base/refused.ts';
import { RedisDirectory } from '../../src/engines/redis/directory.ts';
import { RedisSubject } from './redis-subject.ts';
import { TestClock } from '../support/test-clock.ts';

/** As the leases of `redis-subject.ts` are. */
const LEASE_MS = 10_000;
const HOUR_MS = 3_600_000;
const SINCE = Date.now() - HOUR_MS;

interface Pod {
  readonly backbone: Backbone;
  readonly directory: RedisDirectory;
}

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  const opened: Backbone[] = [];
  beforeAll(() => redis.start(), 60_000);
  beforeEach(() => redis.empty());
  afterEach(() => {
    for (const backbone of opened.splice(0)) backbone.stop();
  });
  afterAll(() => redis.stop());

  async function open(
    source: DirectorySource = new Holding(),
    time?: number | Clock,
    answer = NO_ANSWER,
  ): Promise<Pod> {
    const backbone = redis.backbone(typeof time === 'number' ? new TestClock(time) : time);
    opened.push(backbone);
    const directory = new RedisDirectory(backbone);
    await backbone.start();
    await redis.settled(backbone);
    await directory.start(source, answer);
    return { backbone, directory };
  }

  /** The loads of the other pods, for a pod without connections. */
  async function othersOf({ directory }: Pod): Promise<number[]> {
    const others = await directory.loads({ connections: 0, since: SINCE });
    return others.map(({ connections }) => connections).toSorted((a, b) => a - b);
  }

  const says = ({ directory }: Pod, connections: number): Promise<unknown> =>
    directory.loads({ connections, since: SINCE });

  /** The leases whose loads are stored. */
  async function kept({ backbone: { keys, shared } }: Pod): Promise<string[]> {
    return (await shared.command((client) => client.hkeys(keys.loads))).toSorted();
  }

  directoryContract('The Redis directory', {
    open: async (source, answer) => (await open(source, undefined, answer)).directory,
  });

  sharedDirectoryContract('The Redis directory', {
    open: async (source, answer) => (await open(source, systemClock, answer)).directory,
    breaks: () => redis.freeze(),
    mends: () => redis.thaw(),
  });

  describe('The loads of the pods', () => {
    test('are the latest of all other pods, without the pod’s own', async () => {
      const [a, b, c] = [await open(), await open(), await open()];
      for (const [index, pod] of [a, b, c].entries()) await says(pod, 10 + index);
      await says(a, 20);
      expect(await othersOf(b)).toEqual([12, 20]);
      expect(await othersOf(c)).toEqual([0, 20]);
      expect(await kept(a)).toEqual([a, b, c].map(({ backbone }) => backbone.lease.name).toSorted());
    });

    test('do not contain a pod that takes no more connections, which still gets those of the others', async () => {
      const [a, b] = [await open(), await open()];
      await says(a, 10);
      await says(b, 20);
      expect(await a.directory.loads(undefined)).toMatchObject([{ connections: 20 }]);
      expect(await othersOf(b)).toEqual([]);
      expect(await kept(b)).toEqual([b.backbone.lease.name]);
    });

    test('contain a silent pod no longer than its lease, and are then removed', async () => {
      const [a, b] = [await open(), await open()];
      await says(a, 10);
      await redis.pass(LEASE_MS / 2);
      expect(await othersOf(b)).toEqual([10]);
      await redis.pass(LEASE_MS / 2 + 1);
      expect(await othersOf(b)).toEqual([]);
      // When another pod renews its lease.
      await redis.pass(LEASE_MS / 2);
      await expect.poll(() => kept(b), PATIENT).toEqual([b.backbone.lease.name]);
    });

    test('do not contain a pod that has stopped', async () => {
      const [a, b] = [await open(), await open()];
      await says(a, 10);
      await a.backbone.lease.stop(0);
      await redis.pass(1_000);
      expect(await othersOf(b)).toEqual([]);
    });

    test.each([-HOUR_MS, HOUR_MS])(
      'have times of one clock, also from a machine whose clock is %i ms off',
      async (off) => {
        const [a, b] = [await open(), await open(new Holding(), Date.now() + off)];
        await a.directory.loads({ connections: 1, since: SINCE });
        const [told] = await b.directory.loads({ connections: 2, since: SINCE + off });
        expect(Math.abs((told?.since ?? 0) - (SINCE + off))).toBeLessThan(HOUR_MS / 60);
        const [back] = await a.directory.loads({ connections: 1, since: SINCE });
        expect(back?.connections).toBe(2);
        expect(Math.abs((back?.since ?? 0) - SINCE)).toBeLessThan(HOUR_MS / 60);
      },
    );

    test('are unavailable on a pod without Redis', async () => {
      const a = await open();
      a.backbone.stop();
      await expect.poll(() => a.backbone.shared.up, PATIENT).toBe(false);
      const said = await a.directory.loads({ connections: 1, since: SINCE }).catch((error: unknown) => error);
      expect(isUnavailable(said)).toBe(true);
      expect(isUnavailable(await a.directory.rooms('', '', 1).catch((error: unknown) => error))).toBe(true);
    });

    test('contain a pod that lost Redis for a while only once', async () => {
      const [a, b] = [await open(), await open()];
      await says(a, 10);
      const { lease } = a.backbone;
      const before = lease.name;
      a.backbone.shared.late();
      await expect.poll(() => lease.name, PATIENT).not.toBe(before);
      await expect.poll(() => says(a, 11).then(() => true, isUnavailable), PATIENT).toBe(true);
      await expect.poll(() => says(a, 12).catch(() => 'away'), PATIENT).toEqual([]);
      await expect.poll(() => othersOf(b), PATIENT).toEqual([12]);
      await expect.poll(() => kept(b), PATIENT).toEqual([lease.name, b.backbone.lease.name].toSorted());
    });
  });

  describe('A pod whose lease was lost', () => {
    test('gets “unavailable”, takes another lease, and is counted as before', async () => {
      const holding = new Holding();
      const [a, b] = [await open(holding), await open()];
      holding.put('r', 3);
      a.directory.changed('r');
      await a.directory.rooms('', '', 1);
      const { keys, lease, shared } = a.backbone;
      const before = lease.name;
      await shared.command((client) => client.zrem(keys.pods, before));
      const said = await says(a, 10).catch((error: unknown) => error);
      expect(isUnavailable(said)).toBe(true);
      await expect.poll(() => says(a, 11).catch(() => 'away'), PATIENT).toEqual([]);
      expect(lease.name).not.toBe(before);
      expect(await othersOf(b)).toEqual([11]);
      await expect.poll(() => kept(b), PATIENT).toEqual([lease.name, b.backbone.lease.name].toSorted());
      await expect
        .poll(() => b.directory.rooms('', '', 10), PATIENT)
        .toEqual([{ room: 'r', connections: 3 }]);
    });

    test('has its users’ places under the new lease', async () => {
      const holding = new Holding();
      const [a, b] = [await open(holding), await open()];
      holding.people = [{ userId: 'alice', connectionId: 'a1' }];
      await a.directory.admit('alice', 'a1', 1);
      const { keys, lease, shared } = a.backbone;
      await shared.command((client) => client.zrem(keys.pods, lease.name));
      await says(a, 1).catch(() => undefined);
      const owner = (): Promise<unknown> => shared.command((client) => client.hget(keys.user('alice'), 'a1'));
      await expect.poll(owner, PATIENT).toBe(lease.name);
      expect(await b.directory.admit('alice', 'a2', 1)).toBe(false);
    });
  });

  describe('Lost keys of the directory', () => {
    type Keys = Backbone['keys'];
    const DEL =
      (names: (keys: Keys, pods: readonly string[]) => string[]) => (keys: Keys, pods: readonly string[]) =>
        names(keys, pods).map((key) => ['DEL', key]);
    const SET =
      (names: (keys: Keys, pods: readonly string[]) => string[]) => (keys: Keys, pods: readonly string[]) =>
        names(keys, pods).map((key) => ['SET', key, 'garbage']);
    const ALL = (keys: Keys, pods: readonly string[]): string[] => [
      keys.rooms,
      keys.roomCounts,
      ...pods.flatMap((pod) => [keys.podRooms(pod), keys.podUsers(pod)]),
      keys.user('alice'),
    ];
    const HARMS: [string, (keys: Keys, pods: readonly string[]) => string[][]][] = [
      ['the rooms', DEL(({ rooms }) => [rooms])],
      ['the sums', DEL(({ roomCounts }) => [roomCounts])],
      ['the rooms and the sums', DEL(({ rooms, roomCounts }) => [rooms, roomCounts])],
      ['the pods’ numbers', DEL((keys, pods) => pods.map((pod) => keys.podRooms(pod)))],
      ['the pods’ users', DEL((keys, pods) => pods.map((pod) => keys.podUsers(pod)))],
      ['a user’s places', DEL((keys) => [keys.user('alice')])],
      ['all of it', DEL(ALL)],
      ['all of it, by another type', SET(ALL)],
      ['the tombstones, by another type', SET(({ tombstones }) => [tombstones])],
      ['one room', ({ rooms }) => [['ZREM', rooms, 'r']]],
      ['one sum', ({ roomCounts }) => [['HDEL', roomCounts, 'r']]],
      ['one sum, overwritten', ({ roomCounts }) => [['HSET', roomCounts, 'r', '77']]],
      ['one pod’s number', (keys, [pod = '']) => [['HDEL', keys.podRooms(pod), 'r']]],
      [
        'nothing, but a room is listed that no pod has',
        ({ rooms, roomCounts }) => [
          ['ZADD', rooms, '0', 'ghost'],
          ['HSET', roomCounts, 'ghost', '7'],
        ],
      ],
    ];

    test.each(HARMS)('are restored: %s', async (_, harm) => {
      const clock = new TestClock(Date.now());
      const [one, other] = [new Holding(), new Holding()];
      const [a, b] = [await open(one, clock), await open(other, clock)];
      one.put('r', 2);
      other.put('r', 3);
      one.put('s', 1);
      for (const room of ['r', 's']) for (const { directory } of [a, b]) directory.changed(room);
      await Promise.all([a, b].map(({ directory }) => directory.rooms('', '', 10)));
      one.people = [{ userId: 'alice', connectionId: 'a1' }];
      await a.directory.admit('alice', 'a1', 1);
      const { keys, shared } = b.backbone;
      const pods = [a, b].map(({ backbone }) => backbone.lease.name);
      for (const [name = '', ...args] of harm(keys, pods)) {
        await shared.command((client) => client.call(name, ...args));
      }
      const seen = async (): Promise<unknown> => {
        clock.advance(LEASE_MS / 4);
        const rooms = await b.directory.rooms('', '', 10).catch(String);
        const owner = await shared.command((client) => client.hget(keys.user('alice'), 'a1')).catch(String);
        const users = await shared
          .command((client) => client.smembers(keys.podUsers(a.backbone.lease.name)))
          .catch(String);
        const numbers = await Promise.all(
          pods.map((pod) => shared.command((client) => client.hget(keys.podRooms(pod), 'r')).catch(String)),
        );
        return { rooms, owner, users, numbers };
      };
      const whole = {
        rooms: [
          { room: 'r', connections: 5 },
          { room: 's', connections: 1 },
        ],
        owner: a.backbone.lease.name,
        users: ['a1 alice'],
        numbers: ['2', '3'],
      };
      await expect.poll(seen, PATIENT).toEqual(whole);
      // It is removed when its user leaves.
      one.put('r', 0);
      a.directory.changed('r');
      await a.directory.rooms('', '', 1);
      const left = (await b.directory.rooms('', '', 1))[0];
      expect(left).toEqual({ room: 'r', connections: 3 });
    });

    test('a connection that gave its place back does not get it again', async () => {
      const clock = new TestClock(Date.now());
      const holding = new Holding();
      const [a, b] = [await open(holding, clock), await open(new Holding(), clock)];
      holding.people = [
        { userId: 'alice', connectionId: 'a1' },
        { userId: 'bob', connectionId: 'b1' },
      ];
      for (const { userId, connectionId } of holding.people) await a.directory.admit(userId, connectionId, 1);
      await a.directory.release('alice', 'a1');
      const { keys, shared } = b.backbone;
      await shared.command((client) => client.del(keys.user('bob')));
      const bobs = (): Promise<number> => {
        clock.advance(LEASE_MS / 4);
        return shared.command((client) => client.exists(keys.user('bob')));
      };
      await expect.poll(bobs, PATIENT).toBe(1);
      expect(await shared.command((client) => client.exists(keys.user('alice')))).toBe(0);
    });
  });

  describe('Rooms and places of several pods', () => {
    test('are summed up, and those of a pod that stops are removed', async () => {
      const [one, other] = [new Holding(), new Holding()];
      const [a, b] = [await open(one), await open(other)];
      one.put('r', 2);
      other.put('r', 3);
      one.put('s', 1);
      for (const { directory } of [a, b]) for (const room of ['r', 's']) directory.changed(room);
      await a.directory.rooms('', '', 1);
      expect(await b.directory.rooms('', '', 10)).toEqual([
        { room: 'r', connections: 5 },
        { room: 's', connections: 1 },
      ]);
      for (const room of ['r', 's']) {
        one.put(room, 0);
        a.directory.changed(room);
      }
      await a.directory.stop();
      expect(await b.directory.rooms('', '', 10)).toEqual([{ room: 'r', connections: 3 }]);
    });

    test('of a dead pod are all removed, however many there are', async () => {
      const holding = new Holding();
      const [a, b] = [await open(holding), await open()];
      const names = Array.from({ length: 5_000 }, (_, n) => `room-${n}`);
      for (const name of names) {
        holding.put(name, 1);
        a.directory.changed(name);
      }
      await Promise.all(names.map((name) => a.directory.admit(name, 'c1', 1)));
      expect(await a.directory.rooms('', '', 10_000)).toHaveLength(names.length);
      const { keys, lease } = a.backbone;
      await b.directory.reap(lease.name);
      expect(await b.directory.rooms('', '', 10)).toEqual([]);
      const left = names
        .map((name) => keys.user(name))
        .concat(keys.podUsers(lease.name), keys.podRooms(lease.name));
      const { shared } = b.backbone;
      expect(await shared.command((client) => client.exists(...left))).toBe(0);
    });

    test('are free again if they were on a dead pod', async () => {
      const [a, b] = [await open(), await open()];
      await a.directory.admit('alice', 'a1', 1);
      expect(await b.directory.admit('alice', 'b1', 1)).toBe(false);
      await a.backbone.lease.stop(0);
      // A pod takes no other pod for dead before it has run for the length of a lease.
      await redis.pass(LEASE_MS);
      await redis.pass(LEASE_MS / 2);
      await expect.poll(() => b.directory.admit('alice', 'b1', 1), PATIENT).toBe(true);
    });
  });
});
