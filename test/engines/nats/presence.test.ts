import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openPod, type PresencePod, who } from './presence-pod.ts';
import { NatsSubject } from './subject.ts';
import { PATIENT } from '../../many-pods/world.ts';

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

const pods = (count: number, leaseMs?: number): Promise<PresencePod[]> =>
  Promise.all(Array.from({ length: count }, () => openPod(nats, { ...(leaseMs && { leaseMs }) })));

async function three(leaseMs?: number): Promise<[PresencePod, PresencePod, PresencePod]> {
  return (await pods(3, leaseMs)) as [PresencePod, PresencePod, PresencePod];
}

async function allSee(all: readonly PresencePod[], users: string[], room = 'r'): Promise<void> {
  for (const pod of all) await expect.poll(() => pod.users(room), PATIENT).toEqual(users);
}

describe('Pods', () => {
  test('see the same changes in the same order, whichever pods users join and leave', async () => {
    const all = await three();
    const work = all.flatMap(({ store }, n) =>
      Array.from({ length: 20 }, async (_, m) => {
        const one = who(`user-${m}`, `c-${n}-${m}`);
        await store.enter('r', one);
        if (m % 2 === 0) await store.state('r', one, { status: 'away' });
        if (m % 3 !== 0) await store.exit('r', one);
      }),
    );
    await Promise.all(work);
    const stayed = [0, 3, 6, 9, 12, 15, 18].map((n) => `user-${n}`).toSorted();
    await allSee(all, stayed);
    const [a, b, c] = all;
    expect(b.told).toEqual(a.told);
    expect(c.told).toEqual(a.told);
    const joins = a.told.filter((one) => one.includes(' join ')).length;
    const leaves = a.told.filter((one) => one.includes(' leave ')).length;
    expect(joins - leaves).toBe(stayed.length);
  });

  test('know at once which users joined on another pod', async () => {
    const [a, b] = await three();
    for (let n = 0; n < 30; n += 1) {
      await a.store.enter('r', who(`user-${n}`));
      expect((await b.store.list('r', 100)).count).toBe(n + 1);
    }
  });

  test('that start later know all members with their status and meta', async () => {
    const [a, b] = await three();
    await a.store.state('r', who('alice'), { status: 'away', meta: '{"n":1}' });
    await b.store.enter('r', who('alice', 'alice-2'));
    await a.store.exit('r', who('alice'));
    const c = await openPod(nats);
    await expect
      .poll(async () => (await c.store.list('r', 10)).members, PATIENT)
      .toMatchObject([{ userId: 'alice', status: 'away', meta: '{"n":1}' }]);
  });

  test('a user who returns before other pods saw the leave starts without status and meta', async () => {
    const [a, b] = await three();
    await a.store.state('r', who('alice'), { status: 'away', meta: '{"n":1}' });
    await Promise.all([a.store.exit('r', who('alice')), a.store.enter('r', who('alice', 'alice-2'))]);
    await a.store.state('r', who('bob'), { status: 'away' });
    await Promise.all([
      a.store.state('r', who('bob'), { meta: '{"n":2}' }),
      a.store.exit('r', who('bob')),
      a.store.enter('r', who('bob', 'bob-2')),
    ]);
    for (const pod of [a, b, await openPod(nats)])
      expect((await pod.store.list('r', 10)).members).toMatchObject([
        { userId: 'alice', status: 'online', meta: '{}' },
        { userId: 'bob', status: 'online', meta: '{}' },
      ]);
  });

  test('a user leaves with the last connection, whichever pod that is on', async () => {
    const [a, b, c] = await three();
    await a.store.enter('r', who('alice', 'a1'));
    expect(await b.store.enter('r', who('alice', 'a2'), true)).toBeUndefined();
    expect(await a.store.exit('r', who('alice', 'a1'))).toBeUndefined();
    await allSee([a, b, c], ['alice']);
    expect(await b.store.exit('r', who('alice', 'a2'))).toMatchObject({ kind: 'leave', count: 0 });
    await allSee([a, b, c], []);
    for (const { told } of [a, b, c]) expect(told).toEqual(['alice join r 1', 'alice leave r 0']);
  });

  test('users and rooms may have every allowed name', async () => {
    const [a, b] = await three();
    const users = ['a.b', 'a b', '*', '>', 'ü "q" \\', '~', '🎉'.repeat(256)];
    for (const room of ['a.b', 'A-_.:@9', 'x'.repeat(128)]) {
      for (const user of users) await a.store.state(room, who(user, 'c'), { meta: '{"*":">"}' });
      expect(await b.users(room)).toEqual(users.toSorted());
      for (const user of users)
        expect(await a.store.exit(room, who(user, 'c'))).toMatchObject({ kind: 'leave' });
      expect(await b.users(room)).toEqual([]);
    }
    expect(b.told).toEqual(a.told);
  });

  test('thousands of users who join and leave at once are all counted', async () => {
    const [a, b] = await three();
    const crowd = Array.from({ length: 3_000 }, (_, n) => who(`user-${n}`));
    await Promise.all(crowd.map((one, n) => (n % 2 ? a : b).store.enter(`room-${n % 7}`, one)));
    expect((await a.store.list('room-3', 1)).count).toBe(crowd.filter((_, n) => n % 7 === 3).length);
    await Promise.all(crowd.map((one, n) => (n % 2 ? a : b).store.exit(`room-${n % 7}`, one)));
    for (let n = 0; n < 7; n += 1) await allSee([a, b], [], `room-${n}`);
  });
});

describe('A lost connection', () => {
  test('whose user goes to another pod is removed, and the user leaves with the new connection', async () => {
    const [a, b, c] = await three();
    await a.store.state('r', who('alice', 'a1'), { status: 'away' });
    await a.store.lose('r', who('alice', 'a1'));
    expect(await b.store.enter('r', who('alice', 'a2'))).toBeUndefined();
    await expect
      .poll(async () => (await c.store.list('r', 1)).members, PATIENT)
      .toMatchObject([{ status: 'away' }]);
    await expect.poll(() => a.store.exit('r', who('alice', 'a1')), PATIENT).toBeUndefined();
    // If the row of the lost connection ends later, that one makes the leave.
    await b.store.exit('r', who('alice', 'a2'));
    await allSee([a, b, c], []);
    for (const { told } of [a, b, c]) expect(told).toEqual(['alice join r 1', 'alice leave r 0']);
  });

  test('is the only one of two on two pods that is replaced when the user returns', async () => {
    const [a, b, c] = await three();
    await a.store.enter('r', who('alice', 'a1'));
    await b.store.enter('r', who('alice', 'a2'));
    await a.store.lose('r', who('alice', 'a1'));
    await b.store.lose('r', who('alice', 'a2'));
    await allSee([a, b, c], ['alice']);
    await c.store.enter('r', who('alice', 'a3'), true);
    await allSee([a, b, c], ['alice']);
    expect(await c.store.exit('r', who('alice', 'a3'))).toBeUndefined();
    const ends = [await a.store.exit('r', who('alice', 'a1')), await b.store.exit('r', who('alice', 'a2'))];
    expect(ends.filter((one) => one !== undefined)).toMatchObject([{ kind: 'leave' }]);
    await allSee([a, b, c], []);
  });

  test('of a stopped pod is replaced by the pod that the user goes to; other users leave after the grace period', async () => {
    const [a, b, c] = await three();
    for (const user of ['alice', 'bob']) {
      await a.store.enter('r', who(user));
      await a.store.lose('r', who(user));
    }
    await a.store.stop(2_000);
    await a.backbone.stop();
    await expect.poll(() => b.backbone.leases.isEnding(a.backbone.lease.name), PATIENT).toBe(true);
    await b.store.enter('r', who('alice', 'alice-2'), true);
    await b.store.exit('r', who('alice', 'alice-2'));
    await allSee([b, c], ['bob']);
    await allSee([b, c], []);
    for (const { told } of [b, c])
      expect(told).toEqual(['alice join r 1', 'bob join r 2', 'alice leave r 1', 'bob leave r 0']);
  });
});
