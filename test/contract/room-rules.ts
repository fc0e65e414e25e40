import type { Broker, Receiver, Stored } from '../../src/core/ports/broker.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HistoryLimits } from '../../src/core/ports/room-rules.ts';

/** Makes a broker under test, which asks `limitsOf` for the limits of each room. */
export interface RuledBrokerSubject {
  open(limitsOf: (room: string) => HistoryLimits): Promise<Broker>;
  /** Lets so many milliseconds pass for the broker. */
  pass(ms: number): Promise<void>;
}

const ALL = 100;
/** These contracts are about what a broker stores. */
const DEAF: Receiver = {
  message() {},
  delivered: () => true,
  fleeting() {},
  provisional() {},
  forgotten() {},
  newest() {},
  note() {},
};
const ANY = { slot: 'any', ttlMs: 60_000 } as const;
const SERVER = { slot: 'server', ttlMs: 60_000 } as const;

/** What a broker must hold whose rooms have rules (docs/platform/rules.md). */
export function roomRulesContract(name: string, subject: RuledBrokerSubject): void {
  describe(`${name} keeps to the rules of rooms`, () => {
    let broker: Broker;
    let limits: Map<string, HistoryLimits>;

    beforeEach(async () => {
      limits = new Map([
        ['few', { historySize: 2, historyTtlMs: 60_000 }],
        ['soon', { historySize: 5, historyTtlMs: 5_000 }],
      ]);
      const usual = { historySize: 5, historyTtlMs: 60_000 };
      broker = await subject.open((room) => limits.get(room) ?? usual);
      await broker.start(DEAF);
    });

    afterEach(() => broker.stop());

    const publish = async (room: string, ...bodies: string[]): Promise<string[]> => {
      const ids: string[] = [];
      for (const body of bodies) ids.push((await broker.publish(room, body)).id);
      return ids;
    };
    const stored = async (room: string): Promise<string[]> => bodies(await read(room));
    const read = async (room: string): Promise<readonly Stored[]> =>
      (await broker.read(room, { newest: ALL }, ALL)).messages;
    const bodies = (messages: readonly Stored[]): string[] => messages.map(({ body }) => body);

    test('each room stores as many messages as its limits say', async () => {
      const [first = ''] = await publish('few', 'a', 'b', 'c');
      await publish('r', 'a', 'b', 'c');
      expect(await stored('few')).toEqual(['b', 'c']);
      expect(await stored('r')).toEqual(['a', 'b', 'c']);
      expect((await broker.read('few', { after: first }, ALL)).missing).toBeUndefined();
    });

    test('each room stores messages for as long as its limits say', async () => {
      const [id = ''] = await publish('soon', 'a', 'b');
      await publish('r', 'a');
      await subject.pass(5_100);
      expect(await stored('soon')).toEqual([]);
      expect(await stored('r')).toEqual(['a']);
      const page = await broker.read('soon', { after: id }, ALL);
      expect(page).toMatchObject({ messages: [], missing: 'trimmed' });
      await publish('soon', 'c');
      expect(await stored('soon')).toEqual(['c']);
    });

    test('a size that shrinks holds with the next message at the latest, and a position stays known', async () => {
      const [a = '', , c = ''] = await publish('r', 'a', 'b', 'c');
      limits.set('r', { historySize: 2, historyTtlMs: 60_000 });
      expect((await broker.read('r', { after: c }, ALL)).missing).toBeUndefined();
      const page = await broker.read('r', { after: a }, ALL);
      expect([page.missing, bodies(page.messages)]).toEqual([undefined, ['b', 'c']]);
      await publish('r', 'd');
      expect(await stored('r')).toEqual(['c', 'd']);
      const gap = await broker.read('r', { after: a }, ALL);
      expect([gap.missing, bodies(gap.messages)]).toEqual(['trimmed', ['c', 'd']]);
    });

    test('an age that shrinks holds at once, and a history that is switched off gives nothing', async () => {
      await publish('r', 'a');
      await publish('s', 'a');
      await subject.pass(5_100);
      await publish('r', 'b');
      limits.set('r', { historySize: 5, historyTtlMs: 5_000 });
      expect(await stored('r')).toEqual(['b']);
      limits.set('s', { historySize: 0, historyTtlMs: 60_000 });
      expect(await stored('s')).toEqual([]);
    });

    test('limits that grow hold from the next message on, in the same epoch', async () => {
      await publish('few', 'a', 'b');
      limits.set('few', { historySize: 5, historyTtlMs: 60_000 });
      const [c = ''] = await publish('few', 'c');
      expect(await stored('few')).toEqual(['a', 'b', 'c']);
      expect((await broker.read('few', { after: c }, ALL)).missing).toBeUndefined();
    });

    test('a room without history keeps its position', async () => {
      limits.set('none', { historySize: 0, historyTtlMs: 60_000 });
      await broker.subscribe('none');
      const { position } = await broker.read('none', { newest: 0 }, 0);
      const empty = await broker.read('none', { after: position }, ALL);
      expect([empty.missing, empty.messages, empty.position]).toEqual([undefined, [], position]);
      limits.delete('none');
      await publish('none', 'a');
      const page = await broker.read('none', { after: position }, ALL);
      expect([page.missing, bodies(page.messages)]).toEqual([undefined, ['a']]);
    });
  });
}

/** What a broker must hold that keeps the last value of rooms. */
export function lastValueContract(name: string, subject: RuledBrokerSubject): void {
  describe(`${name} keeps last values`, () => {
    let broker: Broker;

    beforeEach(async () => {
      broker = await subject.open(() => ({ historySize: 5, historyTtlMs: 60_000 }));
      await broker.start(DEAF);
    });

    afterEach(() => broker.stop());

    test('the value of a room is the message that became it last, stored or not', async () => {
      expect(await broker.lastValue?.('r', ANY)).toBeUndefined();
      const first = await broker.publish('r', 'a', { lastValue: ANY });
      await broker.publish('r', 'b');
      expect(await broker.lastValue?.('r', ANY)).toMatchObject({ id: first.id, body: 'a' });
      await broker.tell('r', { id: '~1', body: 'c' }, ANY);
      expect(await broker.lastValue?.('r', ANY)).toMatchObject({ id: '~1', body: 'c' });
      const last = await broker.publish('r', 'd', { lastValue: ANY });
      expect(await broker.lastValue?.('r', ANY)).toMatchObject({ id: last.id, body: 'd' });
      expect(await broker.lastValue?.('s', ANY)).toBeUndefined();
    });

    test('the slots of a room do not mix', async () => {
      await broker.publish('r', 'a', { lastValue: ANY });
      await broker.publish('r', 'b', { lastValue: SERVER });
      expect(await broker.lastValue?.('r', ANY)).toMatchObject({ body: 'a' });
      expect(await broker.lastValue?.('r', SERVER)).toMatchObject({ body: 'b' });
    });

    test('a value outlives the messages of its room, and ends with its own life', async () => {
      await broker.publish('r', 'a', { lastValue: { slot: 'any', ttlMs: 90_000 } });
      await broker.publish('r', '1', { lastValue: SERVER });
      for (const body of ['2', '3', '4', '5', '6']) await broker.publish('r', body);
      await subject.pass(61_000);
      expect(await broker.lastValue?.('r', { slot: 'any', ttlMs: 90_000 })).toMatchObject({ body: 'a' });
      expect(await broker.lastValue?.('r', SERVER)).toBeUndefined();
      // A rule that shortens the life holds for the value that is there.
      expect(await broker.lastValue?.('r', ANY)).toBeUndefined();
    });

    test('a repeated publication changes nothing', async () => {
      await broker.publish('r', 'a', { key: 'k', lastValue: ANY });
      const second = await broker.publish('r', 'b', { lastValue: ANY });
      await broker.publish('r', 'a', { key: 'k', lastValue: ANY });
      expect(await broker.lastValue?.('r', ANY)).toMatchObject({ id: second.id, body: 'b' });
    });
  });
}
