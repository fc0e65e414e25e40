import type { Occupant, PresenceStore } from '../../src/core/ports/presence-store.ts';
import { beforeEach, describe, expect, test } from 'vitest';

/** Makes a presence store under test. Each call of `open` starts one without members. */
export interface PresenceSubject {
  open(): Promise<PresenceStore>;
  /** Lets so many milliseconds pass for the store. */
  pass(ms: number): Promise<void>;
  /** The store's clock, in milliseconds since 1970. */
  now(): Promise<number>;
}

const alice1: Occupant = { connectionId: 'a1', userId: 'alice' };
const alice2: Occupant = { connectionId: 'a2', userId: 'alice' };
const bob: Occupant = { connectionId: 'b1', userId: 'bob' };

/** What every presence store must hold (src/core/ports/presence-store.ts); each adapter runs it unchanged. */
export function presenceContract(name: string, subject: PresenceSubject): void {
  describe(`${name} keeps the presence store's contract`, () => {
    let store: PresenceStore;

    beforeEach(async () => {
      store = await subject.open();
    });

    const users = async (room = 'r'): Promise<string[]> =>
      (await store.list(room, 10)).members.map(({ userId }) => userId).toSorted();

    test('the first connection of a user joins, online and without meta', async () => {
      const change = await store.enter('r', alice1);
      expect(change).toMatchObject({ kind: 'join', count: 1 });
      expect(change?.member).toMatchObject({ userId: 'alice', status: 'online', meta: '{}' });
      expect(await users()).toEqual(['alice']);
    });

    test('a second connection of a user changes nothing', async () => {
      await store.enter('r', alice1);
      expect(await store.enter('r', alice2)).toBeUndefined();
      expect(await store.enter('r', alice2)).toBeUndefined();
      expect((await store.list('r', 10)).count).toBe(1);
    });

    test('a user leaves with the last connection', async () => {
      await store.enter('r', alice1);
      await store.enter('r', alice2);
      await store.enter('r', bob);
      expect(await store.exit('r', alice1)).toBeUndefined();
      expect(await users()).toEqual(['alice', 'bob']);
      expect(await store.exit('r', alice2)).toMatchObject({
        kind: 'leave',
        count: 1,
        member: { userId: 'alice' },
      });
      expect(await users()).toEqual(['bob']);
    });

    test('an exit of an absent user, or a second exit, changes nothing', async () => {
      expect(await store.exit('r', alice1)).toBeUndefined();
      await store.enter('r', alice1);
      await store.exit('r', alice1);
      expect(await store.exit('r', alice1)).toBeUndefined();
    });

    test('the exit of a connection that never entered does not remove its user', async () => {
      await store.enter('r', alice1);
      expect(await store.exit('r', alice2)).toBeUndefined();
      expect(await users()).toEqual(['alice']);
    });

    test('a room admits so many users, those who are present always, and none of a connection refused', async () => {
      expect(await store.admit('r', alice1, 1)).toBe(true);
      expect(await store.admit('r', bob, 1)).toBe(false);
      expect(await store.admit('r', alice2, 1)).toBe(true);
      expect(await users()).toEqual(['alice']);
      await store.exit('r', bob);
      await store.exit('r', alice1);
      expect(await store.admit('r', bob, 1)).toBe(false);
      expect(await store.admit('r', bob, 2)).toBe(true);
      expect(await users()).toEqual(['alice', 'bob']);
    });

    test('a user whose connection was lost keeps the place', async () => {
      await store.admit('r', alice1, 1);
      await store.lose('r', alice1);
      expect(await store.admit('r', bob, 1)).toBe(false);
      expect(await store.admit('r', alice2, 1, true)).toBe(true);
      await store.exit('r', alice2);
      expect(await users()).toEqual([]);
      expect(await store.admit('r', bob, 1)).toBe(true);
    });

    test('a statement of an absent user is a join, one of a present user is an update', async () => {
      const join = await store.state('r', alice1, { status: 'online', meta: '{"name":"Alice"}' });
      expect(join).toMatchObject({ kind: 'join', count: 1, member: { meta: '{"name":"Alice"}' } });
      const update = await store.state('r', alice1, { status: 'away' });
      expect(update).toMatchObject({ kind: 'update', count: 1 });
      expect(update.member).toMatchObject({ status: 'away', meta: '{"name":"Alice"}' });
    });

    test('the latest statement of several connections counts', async () => {
      await store.state('r', alice1, { status: 'away', meta: '{"n":1}' });
      await store.state('r', alice2, { status: 'online', meta: '{"n":2}' });
      expect((await store.list('r', 10)).members).toMatchObject([{ status: 'online', meta: '{"n":2}' }]);
    });

    test('a connection without a statement leaves status and meta unchanged', async () => {
      await store.state('r', alice1, { status: 'away', meta: '{"n":1}' });
      await store.enter('r', alice2);
      await store.exit('r', alice1);
      expect((await store.list('r', 10)).members).toMatchObject([{ status: 'away', meta: '{"n":1}' }]);
    });

    test('a user who returns after leaving starts without status and meta', async () => {
      await store.state('r', alice1, { status: 'away', meta: '{"n":1}' });
      await store.exit('r', alice1);
      expect(await store.enter('r', alice1)).toMatchObject({
        kind: 'join',
        member: { status: 'online', meta: '{}' },
      });
    });

    test('a lost connection counts until it exits', async () => {
      await store.enter('r', alice1);
      await store.lose('r', alice1);
      expect(await users()).toEqual(['alice']);
      expect(await store.exit('r', alice1)).toMatchObject({ kind: 'leave' });
    });

    test.each(['enters', 'makes a statement'])(
      'a connection that returns and %s replaces a lost one',
      async (how) => {
        await store.enter('r', alice1);
        await store.lose('r', alice1);
        if (how === 'enters') expect(await store.enter('r', alice2, true)).toBeUndefined();
        else expect(await store.state('r', alice2, {}, true)).toMatchObject({ kind: 'update' });
        expect(await store.exit('r', alice2)).toMatchObject({ kind: 'leave' });
        expect(await store.exit('r', alice1)).toBeUndefined();
        expect(await users()).toEqual([]);
      },
    );

    test.each(['enters', 'makes a statement'])(
      'a lost connection counts until its exit, although another one %s',
      async (how) => {
        await store.enter('r', alice1);
        await store.lose('r', alice1);
        await (how === 'enters' ? store.enter('r', alice2) : store.state('r', alice2, {}));
        expect(await store.exit('r', alice2)).toBeUndefined();
        expect(await users()).toEqual(['alice']);
        expect(await store.exit('r', alice1)).toMatchObject({ kind: 'leave' });
        expect(await users()).toEqual([]);
      },
    );

    test('if one of two lost connections returns, the user stays until the other’s exit', async () => {
      for (const who of [alice1, alice2]) await store.enter('r', who);
      for (const who of [alice1, alice2]) await store.lose('r', who);
      await store.enter('r', { connectionId: 'a3', userId: 'alice' }, true);
      expect(await store.exit('r', { connectionId: 'a3', userId: 'alice' })).toBeUndefined();
      expect(await store.exit('r', alice1)).toBeUndefined();
      expect(await store.exit('r', alice2)).toMatchObject({ kind: 'leave' });
    });

    test('losing a connection that never entered changes nothing', async () => {
      await store.lose('r', alice1);
      expect(await users()).toEqual([]);
    });

    test('rooms are independent', async () => {
      await store.enter('r', alice1);
      await store.enter('s', bob);
      expect(await users('r')).toEqual(['alice']);
      expect(await users('s')).toEqual(['bob']);
      expect(await store.list('t', 10)).toEqual({ members: [], count: 0 });
    });

    test('a list has at most as many members as the limit, and counts all', async () => {
      for (let n = 0; n < 7; n += 1) await store.enter('r', { connectionId: `c${n}`, userId: `u${n}` });
      const { members, count } = await store.list('r', 3);
      expect(members).toHaveLength(3);
      expect(count).toBe(7);
    });

    test('a list and its count agree, also if users leave while it is read', async () => {
      for (let n = 0; n < 20; n += 1) {
        await store.enter('r', alice1);
        await store.enter('r', bob);
        const [{ members, count }] = await Promise.all([store.list('r', 10), store.exit('r', bob)]);
        expect(members).toHaveLength(count);
      }
    });

    test('every statement renews the time of the row, in seconds', async () => {
      const seconds = async (): Promise<number> => Math.floor((await subject.now()) / 1_000);
      const begun = await seconds();
      for (const passed of [0, 5]) {
        await subject.pass(passed * 1_000);
        const before = await seconds();
        expect(before).toBeGreaterThanOrEqual(begun + passed);
        const { updatedAt } = (await store.state('r', alice1, {})).member;
        // The same second if the clock does not advance in between.
        expect(updatedAt).toBeGreaterThanOrEqual(before);
        expect(updatedAt).toBeLessThanOrEqual(await seconds());
      }
    });
  });
}
