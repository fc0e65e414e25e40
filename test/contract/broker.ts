import type { Broker, Stored } from '../../src/core/ports/broker.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePosition } from '../../src/protocol/position.ts';

/** Makes a broker under test and advances its clock. Each call of `open` starts one without history. */
export interface BrokerSubject {
  /** The broker stores five messages per room for sixty seconds. */
  open(): Promise<Broker>;
  /** Lets so many milliseconds pass for the broker. */
  pass(ms: number): Promise<void>;
}

const DAY_MS = 86_400_000;
const ALL = 100;

/** What every broker must hold (src/core/ports/broker.ts); each adapter runs it unchanged. */
export function brokerContract(name: string, subject: BrokerSubject): void {
  describe(`${name} keeps the broker's contract`, () => {
    let broker: Broker;
    let received: { room: string; stored: Stored }[];
    let others: unknown[];

    beforeEach(async () => {
      received = [];
      others = [];
      broker = await subject.open();
      await broker.start({
        message: (room, stored) => received.push({ room, stored }),
        delivered: () => true,
        fleeting: (_room, message) => others.push(message),
        provisional: (_room, message) => others.push(message),
        forgotten() {},
        newest() {},
        note: (note) => others.push(note),
      });
    });

    afterEach(() => broker.stop());

    const publish = async (room: string, ...bodies: string[]): Promise<string[]> => {
      const ids: string[] = [];
      for (const body of bodies) ids.push((await broker.publish(room, body)).id);
      return ids;
    };
    const bodies = (messages: readonly Stored[]): string[] => messages.map(({ body }) => body);

    test('a subscriber receives each publication once, in order, with the position before it', async () => {
      await broker.subscribe('r');
      const ids = await publish('r', 'a', 'b', 'c');
      await expect.poll(() => received.length).toBe(3);
      expect(received.map(({ room, stored }) => [room, stored.id, stored.body])).toEqual([
        ['r', ids[0], 'a'],
        ['r', ids[1], 'b'],
        ['r', ids[2], 'c'],
      ]);
      expect(received[1]?.stored.prev).toBe(ids[0]);
      expect(received[2]?.stored.prev).toBe(ids[1]);
    });

    test('the first message follows the position that the empty room had', async () => {
      await broker.subscribe('r');
      const { position } = await broker.read('r', { newest: 0 }, ALL);
      await publish('r', 'a');
      await expect.poll(() => received.length).toBe(1);
      expect(received[0]?.stored.prev).toBe(position);
    });

    test('publications made without waiting keep their order', async () => {
      await broker.subscribe('r');
      const all = Array.from({ length: 5 }, (_, n) => `m${n}`);
      await Promise.all(all.map((body) => broker.publish('r', body)));
      await expect.poll(() => received.length).toBe(5);
      expect(received.map(({ stored }) => stored.body)).toEqual(all);
    });

    test('positions of a room grow and are all of one epoch', async () => {
      const ids = await publish('r', 'a', 'b', 'c');
      const parsed = ids.map((id) => parsePosition(id));
      expect(new Set(parsed.map((position) => position?.epoch)).size).toBe(1);
      const sorted = parsed.toSorted((a, b) => (a?.ms ?? 0) - (b?.ms ?? 0) || (a?.seq ?? 0) - (b?.seq ?? 0));
      expect(parsed).toEqual(sorted);
      expect(new Set(ids).size).toBe(3);
    });

    test('messages of a room that is not subscribed, or no longer, do not arrive', async () => {
      await broker.subscribe('heard');
      await broker.subscribe('left');
      broker.unsubscribe('left');
      await publish('left', 'x');
      await publish('other', 'x');
      await publish('heard', 'y');
      await expect.poll(() => received.length).toBe(1);
      expect(received[0]?.room).toBe('heard');
    });

    test('a body is unchanged, whatever it contains', async () => {
      const body = `"data":"é \u2028 😀 \\u0000 ${'x'.repeat(70_000)}"}`;
      await publish('r', body);
      expect(bodies((await broker.read('r', { newest: 1 }, ALL)).messages)).toEqual([body]);
    });

    test('a repeated key returns the first id and publishes nothing, in its own room only', async () => {
      await broker.subscribe('r');
      const first = await broker.publish('r', 'a', { key: 'alice\n1' });
      const again = await broker.publish('r', 'a again', { key: 'alice\n1' });
      const otherKey = await broker.publish('r', 'b', { key: 'alice\n2' });
      const otherRoom = await broker.publish('s', 'c', { key: 'alice\n1' });
      expect(first.duplicate).toBe(false);
      expect(again).toEqual({ id: first.id, duplicate: true });
      expect(otherKey.duplicate).toBe(false);
      expect(otherRoom.duplicate).toBe(false);
      await expect.poll(() => received.length).toBe(2);
      expect(received.map(({ stored }) => stored.body)).toEqual(['a', 'b']);
    });

    test('a key is free again after five minutes', async () => {
      await broker.publish('r', 'a', { key: 'k' });
      await subject.pass(299_000);
      expect((await broker.publish('r', 'b', { key: 'k' })).duplicate).toBe(true);
      await subject.pass(2_000);
      expect((await broker.publish('r', 'c', { key: 'k' })).duplicate).toBe(false);
    });

    test('of several claims of one key the first id wins', async () => {
      expect(await broker.claim('@global', 'k', 'one')).toBe('one');
      expect(await broker.claim('@global', 'k', 'two')).toBe('one');
      expect(await broker.claim('@direct', 'k', 'three')).toBe('three');
    });

    test('what a key was used for is told, by publish and by claim alike', async () => {
      if (broker.claimed === undefined) return;
      expect(await broker.claimed?.('r', 'k1')).toBeUndefined();
      const { id } = await broker.publish('r', 'hi', { key: 'k1' });
      await broker.claim('@global', 'k1', 'one');
      expect(await broker.claimed?.('r', 'k1')).toBe(id);
      expect(await broker.claimed?.('@global', 'k1')).toBe('one');
      expect(await broker.claimed?.('s', 'k1')).toBeUndefined();
    });

    test('a claim is free again after five minutes', async () => {
      await broker.claim('@global', 'k', 'one');
      await subject.pass(299_000);
      expect(await broker.claim('@global', 'k', 'two')).toBe('one');
      await subject.pass(2_000);
      expect(await broker.claim('@global', 'k', 'three')).toBe('three');
    });

    test('reading the newest N messages returns them oldest first, with the room’s position', async () => {
      const ids = await publish('r', 'a', 'b', 'c');
      const page = await broker.read('r', { newest: 2 }, ALL);
      expect(bodies(page.messages)).toEqual(['b', 'c']);
      expect(page.position).toBe(ids[2]);
      expect(page.more).toBe(false);
      expect(page.missing).toBeUndefined();
    });

    test('if the newest N exceed the limit, the page starts with the oldest of them', async () => {
      const ids = await publish('r', 'a', 'b', 'c', 'd');
      const page = await broker.read('r', { newest: 3 }, 2);
      expect(bodies(page.messages)).toEqual(['b', 'c']);
      expect(page).toMatchObject({ more: true, position: ids[2] });
    });

    test('reading after a position returns the later messages, each with its prev', async () => {
      const ids = await publish('r', 'a', 'b', 'c');
      const page = await broker.read('r', { after: ids[0] ?? '' }, ALL);
      expect(page.messages).toMatchObject([
        { id: ids[1], prev: ids[0], body: 'b' },
        { id: ids[2], prev: ids[1], body: 'c' },
      ]);
      expect(page.missing).toBeUndefined();
    });

    test('reading from a moment on returns the messages since, and says if some are missing', async () => {
      await publish('r', 'a', 'b');
      await subject.pass(10_000);
      const ms = broker.now('r');
      const [id] = await publish('r', 'c');
      expect(await broker.read('r', { since: ms - 5_000 }, ALL)).toMatchObject({ position: id, more: false });
      expect(bodies((await broker.read('r', { since: ms - 5_000 }, ALL)).messages)).toEqual(['c']);
      expect((await broker.read('r', { since: ms - 5_000 }, ALL)).missing).toBeUndefined();
      // It may have been stored some milliseconds after `ms`.
      const later = broker.now('r') + 1_000;
      expect((await broker.read('r', { since: later }, ALL)).messages).toEqual([]);
      await publish('r', '1', '2', '3', '4', '5');
      const cut = await broker.read('r', { since: ms - 1_000 }, ALL);
      expect(cut.missing).toBe('trimmed');
      expect(bodies(cut.messages)).toEqual(['1', '2', '3', '4', '5']);
    });

    test('reading from a moment whose messages are all gone says that some are missing', async () => {
      await publish('r', 'a');
      const ms = broker.now('r');
      await subject.pass(61_000);
      await publish('r', 'b');
      const page = await broker.read('r', { since: ms - 1_000 }, ALL);
      expect(page.missing).toBe('trimmed');
      expect(bodies(page.messages)).toEqual(['b']);
    });

    test('a message that a pod tells the others does not come back to it', async () => {
      await broker.subscribe('r');
      await broker.tell('r', { id: 'x', body: 'fleeting' });
      await broker.tellAll({ kind: 'global', id: 'y', body: 'note' });
      await publish('r', 'marker');
      await expect.poll(() => received.length).toBe(1);
      expect(others).toEqual([]);
    });

    test('reading after the newest position returns no messages, and none is missing', async () => {
      const ids = await publish('r', 'a');
      const page = await broker.read('r', { after: ids[0] ?? '' }, ALL);
      expect(page).toMatchObject({ messages: [], position: ids[0], more: false });
      expect(page.missing).toBeUndefined();
    });

    test('a page cut by the limit says so, and reading on from its position returns the rest', async () => {
      const ids = await publish('r', 'a', 'b', 'c', 'd');
      const first = await broker.read('r', { after: ids[0] ?? '' }, 2);
      expect(bodies(first.messages)).toEqual(['b', 'c']);
      expect(first).toMatchObject({ more: true, position: ids[2] });
      const second = await broker.read('r', { after: first.position }, 2);
      expect(bodies(second.messages)).toEqual(['d']);
      expect(second).toMatchObject({ more: false, position: ids[3] });
    });

    test('a page that begins after a gap can be cut by the limit too', async () => {
      const ids = await publish('r', '1', '2', '3', '4', '5', '6', '7');
      const page = await broker.read('r', { after: ids[0] ?? '' }, 2);
      expect(page).toMatchObject({ missing: 'trimmed', more: true, position: ids[3] });
      expect(bodies(page.messages)).toEqual(['3', '4']);
    });

    test('the oldest messages beyond the size are trimmed, and a position before them says so', async () => {
      const ids = await publish('r', '1', '2', '3', '4', '5', '6', '7');
      const trimmed = await broker.read('r', { after: ids[0] ?? '' }, ALL);
      expect(trimmed.missing).toBe('trimmed');
      expect(bodies(trimmed.messages)).toEqual(['3', '4', '5', '6', '7']);
      const whole = await broker.read('r', { after: ids[1] ?? '' }, ALL);
      expect(whole.missing).toBeUndefined();
      expect(bodies(whole.messages)).toEqual(['3', '4', '5', '6', '7']);
    });

    test('a page is the same, whatever part of the history the pod knows', async () => {
      await broker.subscribe('r');
      const ids = await publish('r', '1', '2', '3', '4', '5');
      const { messages } = await broker.read('r', { newest: 5 }, ALL);
      const later = await publish('r', '6', '7');
      const known = messages.flatMap((_, from) =>
        messages.slice(from).map((__, length) => messages.slice(from, from + length + 1)),
      );
      for (const after of [...ids, ...later, 'unknown']) {
        for (const limit of [1, 3, ALL]) {
          const page = await broker.read('r', { after }, limit);
          const pages = await Promise.all(known.map((some) => broker.read('r', { after }, limit, some)));
          for (const same of pages) expect(same).toEqual(page);
        }
      }
    });

    test('a position that the room never had is unknown, and all stored messages are returned', async () => {
      const ids = await publish('r', 'a', 'b');
      const [other] = await publish('s', 'x');
      const [earlier] = await publish('q', 'x');
      await publish('later', 'a', 'b');
      expect((await broker.read('later', { after: earlier ?? '' }, ALL)).missing).toBe('unknown_position');
      expect((await broker.read('empty', { after: earlier ?? '' }, ALL)).missing).toBe('unknown_position');
      for (const after of [other ?? '', 'nonsense', '', `${ids[0]}9`]) {
        const page = await broker.read('r', { after }, ALL);
        expect([after, page.missing]).toEqual([after, 'unknown_position']);
        expect(bodies(page.messages)).toEqual(['a', 'b']);
      }
    });

    test('a position of another epoch is lost history, also in an empty room', async () => {
      const [id] = await publish('r', 'a');
      const foreign = (id ?? '').replace(/^[^.]+/, 'another');
      expect((await broker.read('r', { after: foreign }, ALL)).missing).toBe('history_lost');
      expect((await broker.read('empty', { after: foreign }, ALL)).missing).toBe('history_lost');
    });

    test('messages published later can be read from the position of an empty room', async () => {
      const { position } = await broker.read('r', { newest: 0 }, ALL);
      expect(await broker.read('r', { after: position }, ALL)).toMatchObject({ messages: [], more: false });
      await publish('r', 'a', 'b');
      const page = await broker.read('r', { after: position }, ALL);
      expect(page.missing).toBeUndefined();
      expect(bodies(page.messages)).toEqual(['a', 'b']);
    });

    test('within a day a position of a room without publications has missed nothing', async () => {
      await broker.subscribe('r');
      const { position } = await broker.read('r', { newest: 0 }, ALL);
      broker.unsubscribe('r');
      await subject.pass(DAY_MS - 60_000);
      await broker.subscribe('r');
      const page = await broker.read('r', { after: position }, ALL);
      expect([page.missing, page.messages]).toEqual([undefined, []]);
    });

    test('messages expire, and the newest position stays known', async () => {
      const ids = await publish('r', 'a', 'b');
      await subject.pass(61_000);
      const newest = await broker.read('r', { after: ids[1] ?? '' }, ALL);
      expect(newest).toMatchObject({ messages: [], position: ids[1] });
      expect(newest.missing).toBeUndefined();
      expect((await broker.read('r', { after: ids[0] ?? '' }, ALL)).missing).toBe('trimmed');
    });

    test('a day after its last message a room is forgotten, and an old position is expired', async () => {
      const [id] = await publish('r', 'a');
      await subject.pass(DAY_MS + 62_000);
      await publish('other', 'x');
      const page = await broker.read('r', { after: id ?? '' }, ALL);
      expect(page.missing).toBe('expired');
      await publish('r', 'b');
      const later = await broker.read('r', { after: id ?? '' }, ALL);
      expect(later.missing).toBe('expired');
      expect(bodies(later.messages)).toEqual(['b']);
    });

    test('a subscribed room is never forgotten', async () => {
      await broker.subscribe('r');
      const [id] = await publish('r', 'a');
      for (let day = 0; day < 3; day += 1) {
        await subject.pass(DAY_MS);
        await publish('other', 'x');
      }
      await publish('r', 'b');
      const page = await broker.read('r', { after: id ?? '' }, ALL);
      expect(page.missing).toBeUndefined();
      expect(bodies(page.messages)).toEqual(['b']);
      await expect.poll(() => received.length).toBe(2);
      expect(received[1]?.stored.prev).toBe(id);
    });
  });
}
