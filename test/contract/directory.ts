import { beforeEach, describe, expect, test } from 'vitest';
import type { Answerer, Directory, DirectorySource, Occupied } from '../../src/core/ports/directory.ts';
import type { Occupant } from '../../src/core/ports/presence-store.ts';

/** What a pod holds, as its directory reads it. */
export class Holding implements DirectorySource {
  readonly #rooms = new Map<string, number>();
  people: Occupant[] = [];

  /** Sets the number of connections in the room. */
  put(room: string, connections: number): void {
    if (connections === 0) this.#rooms.delete(room);
    else this.#rooms.set(room, connections);
  }

  *occupied(): Iterable<Occupied> {
    for (const [room, connections] of this.#rooms) yield { room, connections };
  }

  connectionsIn(room: string): number {
    return this.#rooms.get(room) ?? 0;
  }

  connectionsOf(userId: string): readonly Occupant[] {
    return this.people.filter((one) => one.userId === userId);
  }

  connections(): Iterable<Occupant> {
    return this.people;
  }
}

/**
 * Makes a directory under test. A call of `open` starts the directory of one more pod; the first one in a test knows
 * only its source.
 */
export interface DirectorySubject {
  open(source: DirectorySource, answer: Answerer): Promise<Directory>;
}

/** Of a pod that is never asked. */
export const NO_ANSWER: Answerer = () => Promise.resolve(undefined);

const ALL = 100;

/** What every directory must hold (src/core/ports/directory.ts); each adapter runs it unchanged. */
export function directoryContract(name: string, subject: DirectorySubject): void {
  describe(`${name} keeps the directory's contract`, () => {
    let holding: Holding;
    let directory: Directory;

    beforeEach(async () => {
      holding = new Holding();
      directory = await subject.open(holding, (question) => {
        if (question === 'fail') throw new Error('as the test wants it');
        return Promise.resolve(question === 'unknown' ? undefined : `${question}!`);
      });
    });

    const put = (room: string, connections: number): void => {
      holding.put(room, connections);
      directory.changed(room);
    };
    const names = async (prefix: string, after: string, limit = ALL): Promise<string[]> =>
      (await directory.rooms(prefix, after, limit)).map(({ room }) => room);

    test('no room is listed at first', async () => {
      expect(await directory.rooms('', '', ALL)).toEqual([]);
    });

    test('a room is listed with its present number of connections', async () => {
      put('r', 1);
      put('r', 3);
      expect(await directory.rooms('', '', ALL)).toEqual([{ room: 'r', connections: 3 }]);
      put('r', 2);
      expect(await directory.rooms('', '', ALL)).toEqual([{ room: 'r', connections: 2 }]);
    });

    test('an empty room is not listed', async () => {
      put('r', 2);
      put('s', 1);
      await directory.rooms('', '', ALL);
      put('r', 0);
      expect(await names('', '')).toEqual(['s']);
    });

    test('rooms are sorted by name, and only those with the prefix are listed', async () => {
      for (const room of ['b', 'a.2', 'B', 'a', 'a.10', 'ab', 'xa', '-']) put(room, 1);
      expect(await names('', '')).toEqual(['-', 'B', 'a', 'a.10', 'a.2', 'ab', 'b', 'xa']);
      expect(await names('a', '')).toEqual(['a', 'a.10', 'a.2', 'ab']);
      expect(await names('a.', '')).toEqual(['a.10', 'a.2']);
      expect(await names('c', '')).toEqual([]);
    });

    test('a page begins after the last name of the page before, also if that room is gone', async () => {
      const all = Array.from({ length: 7 }, (_, n) => `room-${n}`);
      for (const room of ['a', 'z', ...all]) put(room, 1);
      const pages: string[][] = [];
      for (let after = ''; ; after = pages.at(-1)?.at(-1) ?? '') {
        const page = await names('room-', after, 3);
        if (page.length === 0) break;
        pages.push(page);
        put(page.at(-1) ?? '', 0);
      }
      expect(pages).toEqual([all.slice(0, 3), all.slice(3, 6), all.slice(6)]);
    });

    test('a page that begins before the prefix starts at it, and one after it is empty', async () => {
      for (const room of ['a', 'b1', 'b2', 'c']) put(room, 1);
      expect(await names('b', 'a')).toEqual(['b1', 'b2']);
      expect(await names('b', 'c')).toEqual([]);
    });

    test('more rooms than fit in one step are all counted', async () => {
      for (let n = 0; n < 450; n += 1) put(`r${n}`, n + 1);
      const rooms = await directory.rooms('', '', 1_000);
      expect(rooms.reduce((sum, { connections }) => sum + connections, 0)).toBe((450 * 451) / 2);
    });

    test('each user gets as many places as are allowed', async () => {
      expect(await directory.admit('alice', 'a1', 2)).toBe(true);
      expect(await directory.admit('alice', 'a2', 2)).toBe(true);
      expect(await directory.admit('alice', 'a3', 2)).toBe(false);
      expect(await directory.admit('bob', 'b1', 2)).toBe(true);
    });

    test('no more connections than that are admitted if many come at once', async () => {
      const came = Array.from({ length: 9 }, (_, n) => directory.admit('alice', `a${n}`, 2));
      expect((await Promise.all(came)).filter(Boolean)).toHaveLength(2);
    });

    test('only a place that is given back is free again', async () => {
      for (const one of ['a1', 'a2']) await directory.admit('alice', one, 2);
      await directory.release('alice', 'a1');
      expect(await directory.admit('alice', 'a3', 2)).toBe(true);
      expect(await directory.admit('alice', 'a4', 2)).toBe(false);
    });

    test('a connection that was not admitted has no place to give back', async () => {
      await directory.admit('alice', 'a1', 1);
      await directory.release('alice', 'a2');
      await directory.release('bob', 'a1');
      expect(await directory.admit('alice', 'a3', 1)).toBe(false);
    });

    test('a single pod gets no loads, whatever its own is', async () => {
      expect(await directory.loads({ connections: 5, since: 1 })).toEqual([]);
      expect(await directory.loads({ connections: 6, since: 1 })).toEqual([]);
      expect(await directory.loads(undefined)).toEqual([]);
    });

    test('a single pod answers its own questions', async () => {
      expect(await directory.ask('who')).toEqual({ answers: ['who!'] });
      expect(await directory.ask('who', () => true)).toEqual({ answers: ['who!'] });
      expect(await directory.ask('')).toEqual({ answers: ['!'] });
    });

    test('many questions at once get each its own answer', async () => {
      const asked = Array.from({ length: 50 }, (_, n) => directory.ask(`q${n}`));
      expect(await Promise.all(asked)).toEqual(asked.map((_, n) => ({ answers: [`q${n}!`] })));
    });

    test('a pod that cannot answer counts as silent', async () => {
      expect(await directory.ask('unknown')).toEqual({ answers: [], missing: 'silent' });
    });

    test('no question is answered after the stop', async () => {
      await directory.stop();
      expect(await directory.ask('who')).toEqual({ answers: [], missing: 'silent' });
    });

    test('it can be stopped with and without changes that are not written yet', async () => {
      put('r', 1);
      await expect(directory.stop()).resolves.toBeUndefined();
    });
  });
}
