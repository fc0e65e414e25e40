import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backbone } from '../../src/engines/redis/connection/backbone.ts';
import { PATIENT } from '../many-pods/world.ts';
import { presenceContract } from './presence.ts';
import type { PresenceChange } from '../../src/core/ports/presence-store.ts';
import { RedisPresence } from '../../src/engines/redis/presence.ts';
import { RedisSubject } from './redis-subject.ts';
import { TestClock } from '../support/test-clock.ts';

/** Its third is shorter than a lease. */
const TTL_MS = 9_000;

describe.each(['alone', 'cluster'] as const)('Redis, %s', (kind) => {
  const redis = new RedisSubject(kind);
  const opened: Backbone[] = [];
  beforeAll(() => redis.start(), 60_000);
  afterEach(() => {
    for (const backbone of opened.splice(0)) backbone.stop();
  });
  afterAll(() => redis.stop());

  presenceContract('The Redis presence store', {
    async open() {
      await redis.empty();
      const backbone = redis.backbone();
      opened.push(backbone);
      const store = new RedisPresence({ backbone, ttlMs: TTL_MS, random: Math.random });
      await backbone.start();
      await redis.settled(backbone);
      return store;
    },
    pass: (ms) => redis.pass(ms),
    async now() {
      const [seconds = 0, micros = 0] =
        (await opened.at(-1)?.shared.command((client) => client.time())) ?? [];
      return seconds * 1_000 + Math.floor(micros / 1_000);
    },
  });

  describe('Presence of two pods', () => {
    const alice = { connectionId: 'a1', userId: 'alice' };
    const bob = { connectionId: 'b1', userId: 'bob' };

    interface Pod {
      readonly backbone: Backbone;
      readonly store: RedisPresence;
      readonly changes: PresenceChange[];
      /** How often `uncertain` was called. */
      readonly uncertain: true[];
    }

    async function open(clock: TestClock, ttlMs = TTL_MS): Promise<Pod> {
      const backbone = redis.backbone(clock);
      opened.push(backbone);
      const store = new RedisPresence({ backbone, ttlMs, random: Math.random });
      const [changes, uncertain]: [PresenceChange[], true[]] = [[], []];
      await store.start({
        changed: (_, change) => changes.push(change),
        caused: (_, change) => changes.push(change),
        uncertain: (isConcerned) => {
          if (isConcerned('r')) uncertain.push(true);
        },
      });
      await backbone.start();
      await redis.settled(backbone);
      await backbone.placement.channels.subscribe(backbone.keys.roomChannel('r'));
      return { backbone, store, changes, uncertain };
    }

    async function world(): Promise<{ clock: TestClock; a: Pod; b: Pod }> {
      await redis.empty();
      const clock = new TestClock(Date.now());
      const [a, b] = [await open(clock), await open(clock)];
      await a.store.state('r', alice, { status: 'away', meta: '{"n":1}' });
      await b.store.enter('r', bob);
      await expect.poll(() => [a, b].map(({ changes }) => changes.length), PATIENT).toEqual([2, 2]);
      for (const { changes, uncertain } of [a, b]) for (const told of [changes, uncertain]) told.length = 0;
      return { clock, a, b };
    }

    const listOf = async ({ store }: Pod): Promise<unknown> => {
      const { members, count } = await store.list('r', 10);
      const rows = members.map(({ userId, status, meta }) => `${userId} ${status} ${meta}`);
      return [count, ...rows.toSorted()];
    };
    const WHOLE = [2, 'alice away {"n":1}', 'bob online {}'];

    test.each([[['presence']], [['tabs']], [['presence', 'tabs']]] as const)(
      'is restored after a third of its TTL if %j is gone, and lists are sent again when all pods had time',
      async (gone) => {
        const { clock, a, b } = await world();
        const { keys } = a.backbone;
        for (const name of gone.map((kind) => keys[kind]('r')))
          await a.backbone.placement.shardOfRoom('r').command((client) => client.del(name), [name]);
        clock.advance(TTL_MS / 3);
        for (const pod of [a, b]) await expect.poll(() => listOf(pod), PATIENT).toEqual(WHOLE);
        expect([a, b].map(({ uncertain }) => uncertain)).toEqual([[], []]);
        const told = (): true[][] => {
          clock.advance(500);
          return [a, b].map(({ uncertain }) => uncertain);
        };
        await expect.poll(told, PATIENT).toEqual([[true], [true]]);
        expect([a, b].map(({ changes }) => changes)).toEqual([[], []]);
        // Hardly any time has passed for Redis: bob may be present on pods that have not written their rows again yet.
        await b.store.exit('r', bob);
        const left = (): string[] => {
          clock.advance(500);
          return a.changes.map(({ kind, count }) => `${kind} ${count}`);
        };
        await expect.poll(left, PATIENT).toEqual(['leave 1']);
      },
    );

    test('is restored on all pods soon after one pod noticed that it is gone', async () => {
      await redis.empty();
      const ttlMs = 60_000;
      const clocks = [new TestClock(Date.now()), new TestClock(Date.now())] as const;
      const [a, b] = [await open(clocks[0], ttlMs), await open(clocks[1], ttlMs)];
      await a.store.state('r', alice, { status: 'away', meta: '{"n":1}' });
      await b.store.enter('r', bob);
      for (const name of [a.backbone.keys.presence('r'), a.backbone.keys.tabs('r')])
        await a.backbone.placement.shardOfRoom('r').command((client) => client.del(name), [name]);
      clocks[0].advance(ttlMs / 3);
      await expect.poll(() => listOf(a), PATIENT).not.toEqual([0]);
      let passed = 0;
      const list = (): Promise<unknown> => {
        // Without a hint the other pod checks after a third of the TTL.
        if (passed < ttlMs / 4) clocks[1].advance(100);
        passed += 100;
        return listOf(a);
      };
      await expect.poll(list, PATIENT).toEqual(WHOLE);
    });

    test('has all users who entered under a new lease, and none who left', async () => {
      const { a } = await world();
      const { keys, lease } = a.backbone;
      const carol = { connectionId: 'c1', userId: 'carol' };
      const dave = { connectionId: 'd1', userId: 'dave' };
      await a.store.enter('r', dave);
      const entering = a.store.enter('r', carol);
      const leaving = a.store.exit('r', dave);
      lease.lapsed(lease.name);
      await Promise.all([entering, leaving]);
      const tabs = keys.tabs('r');
      const names = async (): Promise<unknown> => {
        const all = await a.backbone.placement
          .shardOfRoom('r')
          .command((client) => client.hgetall(tabs), [tabs]);
        return Object.entries(all)
          .filter(([, text]) => text.includes(`@${lease.name}`))
          .map(([user]) => user)
          .toSorted();
      };
      await expect.poll(names, PATIENT).toEqual(['alice', 'carol']);
      expect((await a.store.list('r', 10)).count).toBe(3);
    });
  });
});
