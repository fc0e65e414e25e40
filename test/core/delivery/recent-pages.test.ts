import * as fc from 'fast-check';
import { channelDialect, messageDialect } from '../../../src/protocol/dialects.ts';
import { expect, test } from 'vitest';
import { encodeBody } from '../../../src/protocol/message.ts';
import { framer } from '../../../src/ws/frame.ts';
import { RecentPages } from '../../../src/core/delivery/recent-pages.ts';
import type { Stored } from '../../../src/core/ports/broker.ts';
import { TestClock } from '../../support/test-clock.ts';

const ROOM = 'r';
const HISTORY = history(200);

/** Messages that follow each other; every tenth is larger, and one has a body that no dialect can decode. */
function history(count: number): Stored[] {
  const timestamp = '2026-01-01T00:00:00.000Z';
  return Array.from({ length: count }, (_, n) => {
    const data = JSON.stringify('x'.repeat(n % 10 === 0 ? 20_000 : n));
    const body = encodeBody({ type: 'chat', room: ROOM, from: 'bob', data, timestamp });
    return { id: `e.r.1-${n + 1}`, prev: `e.r.1-${n}`, body: n === 60 ? '"no body' : body };
  });
}

/** The history as another read returns it. */
function read(from: number, to: number): Stored[] {
  return HISTORY.slice(from, to).map((stored) => ({ ...stored }));
}

function textsOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

test('whatever was replayed before, a member gets the frames of its page in order', () => {
  const page = fc.record({
    from: fc.nat(199),
    length: fc.integer({ min: 0, max: 120 }),
    hole: fc.option(fc.nat(119), { freq: 5 }),
    dialect: fc.constantFrom(messageDialect, channelDialect),
    passed: fc.constantFrom(0, 0, 0, 6_000),
  });
  fc.assert(
    fc.property(fc.array(page, { maxLength: 12 }), (pages) => {
      const clock = new TestClock();
      const recent = new RecentPages({ framer, clock });
      const alone = (): RecentPages => new RecentPages({ framer, clock });
      for (const { from, length, hole, dialect, passed } of pages) {
        const messages = read(from, from + length).filter((_, index) => index !== hole);
        const parcels = recent.parcels(ROOM, messages, dialect);
        const expected = alone().parcels(ROOM, messages, dialect);
        const bytes = (all: typeof parcels): string => all.map((parcel) => textsOf(parcel.bytes)).join('');
        expect(bytes(parcels)).toBe(bytes(expected));
        const carried = messages.filter(({ body }) => dialect === messageDialect || body.endsWith('}'));
        const stored = parcels.flatMap(({ deliveries = [] }) =>
          deliveries.map((delivery) => delivery.stored),
        );
        expect(stored.filter((one) => carried.some(({ id }) => id === one?.id))).toEqual(carried);
        const counts = parcels.map(({ count }) => count);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(carried.length);
        expect(Math.max(0, ...counts)).toBeLessThanOrEqual(50);
        const kept = recent.messages(ROOM);
        expect(kept.every(({ prev }, index) => index === 0 || prev === kept[index - 1]?.id)).toBe(true);
        clock.advance(passed);
      }
    }),
  );
});

test('members with one dialect get the same bytes; later messages are added', () => {
  const recent = new RecentPages({ framer, clock: new TestClock() });
  const [first, second] = recent.parcels(ROOM, read(1, 101), messageDialect);
  const again = recent.parcels(ROOM, read(1, 103), messageDialect);
  expect(again[0]).toBe(first);
  expect(again[1]).toBe(second);
  expect(again.map(({ count }) => count)).toEqual([40, 40, 22]);
  expect(recent.parcels(ROOM, read(41, 103), messageDialect)[0]).toBe(second);
  expect(recent.messages(ROOM)).toHaveLength(102);
});

test('pages are dropped after ten seconds, and when they grow too large', () => {
  const clock = new TestClock();
  const recent = new RecentPages({ framer, clock });
  recent.parcels(ROOM, read(1, 101), messageDialect);
  clock.advance(9_999);
  expect(recent.messages(ROOM)).toHaveLength(100);
  clock.advance(1);
  expect(recent.messages(ROOM)).toEqual([]);
  for (let n = 0; n < 1_000; n += 1) recent.parcels(`room-${n}`, read(0, 100), messageDialect);
  const kept = Array.from({ length: 1_000 }, (_, n) => recent.messages(`room-${n}`).length);
  expect(kept.filter((length) => length > 0).length).toBeLessThan(50);
});
