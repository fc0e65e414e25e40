import type { Block, Denial, Denylist } from '../../src/core/ports/denylist.ts';
import { beforeEach, describe, expect, test } from 'vitest';

const HOUR_MS = 3_600_000;
/** A pod that reaches its engine acts within this time. */
const SOON = { timeout: 5_000 };

export interface DenylistSubject {
  /** Empties the engine for the next calls of `open`. */
  empty(): void | Promise<void>;
  /** The denylist of one more pod. */
  open(denied: (denial: Denial) => void): Promise<Denylist>;
}

export interface SharedDenylistSubject extends DenylistSubject {
  /** The engine loses everything, and pods notice it as they do in production. */
  loses(): Promise<void>;
  breaks(): void;
  mends(): void;
}

function blockOf(userId: string, until: number, reason?: string): Block {
  return { kind: 'block', userId, since: until - HOUR_MS, until, reason };
}

/** What every denylist must hold (src/core/ports/denylist.ts); each adapter runs it unchanged. */
export function denylistContract(name: string, subject: DenylistSubject): void {
  describe(`${name} keeps the denylist's contract`, () => {
    let list: Denylist;
    let denied: Denial[];
    let later: number;

    beforeEach(async () => {
      await subject.empty();
      denied = [];
      list = await subject.open((denial) => denied.push(denial));
      later = list.now() + HOUR_MS;
    });

    test('nobody is denied at first', () => {
      expect(list.size).toBe(0);
      expect(list.blockOf('alice')).toBeUndefined();
      expect(list.isRevoked({ userId: 'alice', jti: 'j', issuedAt: 1 })).toBe(false);
      expect(list.blocks('', 10)).toEqual([]);
    });

    test('a block holds at once, for that user alone, and is told', async () => {
      const block = blockOf('al ice:ü', later, 'spam');
      expect(await list.add(block)).toBe(true);
      expect(list.blockOf('al ice:ü')).toEqual(block);
      expect(list.blockOf('al')).toBeUndefined();
      expect(denied).toEqual([block]);
      expect(list.size).toBe(1);
    });

    test('a new block replaces the former one, also by an earlier end', async () => {
      await list.add(blockOf('alice', later, 'one'));
      await list.add(blockOf('alice', later - 1_000, 'two'));
      expect(list.blockOf('alice')).toMatchObject({ until: later - 1_000, reason: 'two' });
      expect(list.size).toBe(1);
    });

    test('a removed block does not hold, and a later one does', async () => {
      await list.add(blockOf('alice', later));
      await list.unblock('alice');
      await list.unblock('nobody');
      expect(list.blockOf('alice')).toBeUndefined();
      expect(list.size).toBe(0);
      await list.add(blockOf('alice', later));
      expect(list.blockOf('alice')).toBeDefined();
    });

    test('an entry that has ended does not hold', async () => {
      await list.add(blockOf('alice', list.now() + 300));
      expect(list.blockOf('alice')).toBeDefined();
      await expect.poll(() => list.blockOf('alice'), SOON).toBeUndefined();
      expect(list.blocks('', 10)).toEqual([]);
    });

    test('a token is revoked by its id', async () => {
      await list.add({ kind: 'token', jti: 'a b\n', until: later });
      expect(list.isRevoked({ userId: 'alice', jti: 'a b\n' })).toBe(true);
      expect(list.isRevoked({ userId: 'alice', jti: 'a b' })).toBe(false);
      expect(list.isRevoked({ userId: 'alice' })).toBe(false);
    });

    test('tokens of a user that were issued before a moment are revoked, and those without a time', async () => {
      await list.add({ kind: 'tokens', userId: 'alice', issuedBefore: 5_000, until: later });
      const isRevoked = (issuedAt?: number, userId = 'alice'): boolean =>
        list.isRevoked({ userId, issuedAt });
      expect([isRevoked(4_999), isRevoked(5_000), isRevoked(), isRevoked(1, 'bob')]).toEqual([
        true,
        false,
        true,
        false,
      ]);
    });

    test('blocks are listed by user in pages, revocations are not', async () => {
      for (const user of ['c', 'a', 'b']) await list.add(blockOf(user, later));
      await list.add({ kind: 'token', jti: 'j', until: later });
      expect(list.blocks('', 2).map(({ userId }) => userId)).toEqual(['a', 'b']);
      expect(list.blocks('b', 2).map(({ userId }) => userId)).toEqual(['c']);
      expect(list.size).toBe(4);
    });
  });
}

/** What the denylists of several pods must hold together. */
export function sharedDenylistContract(name: string, subject: SharedDenylistSubject): void {
  describe(`${name} is one list on all pods`, () => {
    let here: Denylist;
    let there: Denylist;
    let told: Denial[];
    let later: number;

    beforeEach(async () => {
      await subject.empty();
      told = [];
      here = await subject.open(() => undefined);
      there = await subject.open((denial) => told.push(denial));
      later = here.now() + HOUR_MS;
    });

    test('another pod knows a block and its removal soon', async () => {
      await here.add(blockOf('alice', later, 'spam'));
      await expect.poll(() => there.blockOf('alice')?.reason, SOON).toBe('spam');
      expect(told).toHaveLength(1);
      await there.unblock('alice');
      await expect.poll(() => here.blockOf('alice'), SOON).toBeUndefined();
    });

    test('a pod that starts later knows all entries', async () => {
      await here.add(blockOf('alice', later));
      await here.add({ kind: 'tokens', userId: 'bob', issuedBefore: 5_000, until: later });
      const born = await subject.open(() => undefined);
      await born.refreshed();
      expect(born.blockOf('alice')).toBeDefined();
      expect(born.isRevoked({ userId: 'bob', issuedAt: 1 })).toBe(true);
    });

    test('thousands of entries reach a pod that starts later', async () => {
      await Promise.all(Array.from({ length: 2_500 }, (_, n) => here.add(blockOf(`u${n}`, later))));
      const born = await subject.open(() => undefined);
      await expect.poll(() => born.size, SOON).toBe(2_500);
    });

    test('living pods write back what was lost, but nothing that was removed', async () => {
      await here.add(blockOf('alice', later));
      await here.add(blockOf('bob', later));
      await here.unblock('bob');
      await expect.poll(() => there.blockOf('alice'), SOON).toBeDefined();
      await subject.loses();
      await expect
        .poll(
          async () => {
            const born = await subject.open(() => undefined);
            await born.refreshed();
            return [born.blockOf('alice')?.userId, born.blockOf('bob')?.userId];
          },
          { timeout: 10_000 },
        )
        .toEqual(['alice', undefined]);
    });

    test('while the engine is away nothing is decided, and what is known holds', async () => {
      await here.add(blockOf('alice', later));
      await expect.poll(() => there.blockOf('alice'), SOON).toBeDefined();
      subject.breaks();
      try {
        await expect(there.add(blockOf('bob', later))).rejects.toMatchObject({
          rejection: { code: 'unavailable' },
        });
        expect(there.blockOf('alice')).toBeDefined();
      } finally {
        subject.mends();
      }
    });
  });
}
