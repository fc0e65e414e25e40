import type { Broker, Fleeting, Note, Receiver, Stored } from '../../src/core/ports/broker.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isUnavailable } from '../../src/core/base/refused.ts';

/** Makes the brokers of several pods. They use the machine's clock, and store 1,000 messages per room. */
export interface SharedBrokerSubject {
  /** Empties the history for the next calls of `open`. */
  empty(): void | Promise<void>;
  /** The broker of another pod on the same history. */
  open(): Promise<Broker>;
  /** The server does not answer until `mends`. It loses nothing. */
  breaks(): void;
  mends(): void;
}

const ALL = 1_000;
const SOON = { timeout: 20_000 };

/** One pod's broker, and what it gave the receiver. */
export class Ear implements Receiver {
  readonly broker: Broker;
  readonly messages: Stored[] = [];
  readonly fleetings: Fleeting[] = [];
  readonly notes: Note[] = [];
  /** Rooms for which `newest` was called. */
  readonly told = new Set<string>();

  constructor(broker: Broker) {
    this.broker = broker;
  }

  get bodies(): string[] {
    return this.messages.map(({ body }) => body);
  }

  message(_room: string, stored: Stored): void {
    // The room drops messages that come twice.
    if (this.messages.every(({ id }) => id !== stored.id)) this.messages.push(stored);
  }

  delivered(): boolean {
    return true;
  }

  fleeting(_room: string, message: Fleeting): void {
    this.fleetings.push(message);
  }

  provisional(): void {}

  forgotten(): void {}

  newest(room: string): void {
    this.told.add(room);
  }

  note(note: Note): void {
    this.notes.push(note);
  }
}

/** What the brokers of several pods must hold together; each adapter that connects pods runs it unchanged. */
export function sharedBrokerContract(name: string, subject: SharedBrokerSubject): void {
  describe(`${name} keeps the contract between pods`, () => {
    let opened: Broker[];
    let here: Ear;
    let there: Ear;

    const open = async (): Promise<Ear> => {
      const ear = new Ear(await subject.open());
      opened.push(ear.broker);
      await ear.broker.start(ear);
      await expect.poll(() => ear.broker.available, SOON).toBe(true);
      return ear;
    };

    beforeEach(async () => {
      opened = [];
      await subject.empty();
      [here, there] = [await open(), await open()];
    });

    afterEach(() => Promise.all(opened.map((broker) => broker.stop())));

    test('a publication of one pod reaches the other unchanged, with its trace', async () => {
      await there.broker.subscribe('r');
      const { id } = await here.broker.publish('r', 'a', { trace: '00-trace-01' });
      await here.broker.publish('other', 'x');
      await here.broker.publish('r', 'b');
      await expect.poll(() => there.bodies, SOON).toEqual(['a', 'b']);
      expect(there.messages[0]).toMatchObject({ id, body: 'a', trace: '00-trace-01' });
      expect(there.messages[1]).toMatchObject({ prev: id, body: 'b' });
      expect(here.messages).toEqual([]);
    });

    test('publications of two pods at once reach both in one order, each with the position before it', async () => {
      await Promise.all([here, there].map(({ broker }) => broker.subscribe('r')));
      const { position } = await here.broker.read('r', { newest: 0 }, ALL);
      const numbers = Array.from({ length: 100 }, (_, n) => n);
      const published = await Promise.all(
        numbers.flatMap((n) => [
          here.broker.publish('r', `here ${n}`),
          there.broker.publish('r', `there ${n}`),
        ]),
      );
      await expect.poll(() => [here.messages.length, there.messages.length], SOON).toEqual([200, 200]);
      expect(new Set(published.map(({ id }) => id)).size).toBe(200);
      expect(there.messages.map(({ id }) => id)).toEqual(here.messages.map(({ id }) => id));
      const before = [position, ...here.messages.map(({ id }) => id)];
      expect(here.messages.map(({ prev }) => prev)).toEqual(before.slice(0, -1));
      for (const who of ['here', 'there']) {
        const theirs = here.bodies.filter((body) => body.startsWith(`${who} `));
        expect(theirs).toEqual(numbers.map((n) => `${who} ${n}`));
      }
      const page = await there.broker.read('r', { after: position }, ALL);
      expect(page.messages.map(({ id }) => id)).toEqual(here.messages.map(({ id }) => id));
    });

    test('a key that both pods use at once publishes once, and both get its id', async () => {
      await there.broker.subscribe('r');
      for (let n = 0; n < 20; n += 1) {
        const both = await Promise.all(
          [here, there].map(({ broker }) => broker.publish('r', `m${n}`, { key: `k${n}` })),
        );
        expect(both.filter(({ duplicate }) => duplicate)).toHaveLength(1);
        expect(both[0]?.id).toBe(both[1]?.id);
      }
      await there.broker.publish('r', 'last');
      await expect.poll(() => there.bodies.at(-1), SOON).toBe('last');
      expect(there.messages).toHaveLength(21);
    });

    test('a key that one pod used is known to the other', async () => {
      const { id } = await here.broker.publish('r', 'a', { key: 'k' });
      expect(await there.broker.publish('r', 'again', { key: 'k' })).toEqual({ id, duplicate: true });
    });

    test('of two claims at once one wins, and its message reaches the other pod', async () => {
      await Promise.all([here, there].map(({ broker }) => broker.subscribe('r')));
      for (let n = 0; n < 20; n += 1) {
        const claims = [here, there].map(async ({ broker }, index) => {
          const id = `${index}-${n}`;
          const first = await broker.claim('r', `k${n}`, id);
          if (first === id) await broker.tell('r', { id, body: 'typing', key: `k${n}` });
          return first;
        });
        const [mine, yours] = await Promise.all(claims);
        expect(mine).toBe(yours);
        const other = mine?.startsWith('0') === true ? there : here;
        await expect.poll(() => other.fleetings.at(-1)?.id, SOON).toBe(mine);
      }
    });

    test('a message that a pod tells reaches the pods that subscribe the room, and a note reaches all other pods', async () => {
      await there.broker.subscribe('r');
      await here.broker.tell('r', { id: 'x', body: 'typing', trace: '00-trace-01' });
      await here.broker.tell('other', { id: 'y', body: 'typing' });
      await here.broker.tellAll({ kind: 'direct', to: 'bob', id: 'z', body: 'hello' });
      await expect.poll(() => there.notes.length, SOON).toBe(1);
      await expect
        .poll(() => there.fleetings, SOON)
        .toMatchObject([{ id: 'x', body: 'typing', trace: '00-trace-01' }]);
      expect(there.notes).toMatchObject([{ kind: 'direct', to: 'bob', id: 'z', body: 'hello' }]);
      expect([...here.fleetings, ...here.notes]).toEqual([]);
    });

    test('a repetition under a key on another pod is not delivered where the first message is known', async () => {
      await Promise.all([here, there].map(({ broker }) => broker.subscribe('r')));
      // As if the claim had been lost in between.
      const say = async ({ broker }: Ear, id: string): Promise<void> => {
        const message = { id, body: 'typing', key: 'k' };
        await broker.tell('r', message);
        await broker.tell('r', { id: `${id}-other`, body: 'typing', key: `k-${id}` });
        await broker.tellAll({ kind: 'global', ...message });
        await broker.tellAll({ kind: 'direct', to: 'bob', ...message });
        await broker.tellAll({ kind: 'direct', to: 'bob', id: `last-${id}`, body: 'hello' });
      };
      await say(here, 'first');
      await expect.poll(() => there.notes.length, SOON).toBe(3);
      await say(there, 'second');
      await say(here, 'third');
      await expect.poll(() => there.notes.length, SOON).toBe(4);
      await expect
        .poll(() => there.fleetings, SOON)
        .toMatchObject([{ id: 'first' }, { id: 'first-other' }, { id: 'third-other' }]);
      expect(there.notes).toMatchObject([
        { kind: 'global', id: 'first' },
        { kind: 'direct', id: 'first' },
        { id: 'last-first' },
        { id: 'last-third' },
      ]);
    });

    test('a pod that starts later knows history, positions and keys', async () => {
      const { id } = await here.broker.publish('r', 'a', { key: 'k' });
      await here.broker.stop();
      await there.broker.stop();
      opened = [];
      const later = await open();
      await later.broker.subscribe('r');
      expect(await later.broker.publish('r', 'again', { key: 'k' })).toEqual({ id, duplicate: true });
      expect(await later.broker.read('r', { after: id }, ALL)).toMatchObject({ messages: [], position: id });
      await later.broker.publish('r', 'b');
      const page = await later.broker.read('r', { after: id }, ALL);
      expect(page.missing).toBeUndefined();
      expect(page.messages).toMatchObject([{ body: 'b', prev: id }]);
    });

    test('during an outage every call ends, with “unavailable” if it needs the server; afterwards all works as before', async () => {
      await Promise.all([here, there].map(({ broker }) => broker.subscribe('r')));
      const { id } = await here.broker.publish('r', 'before');
      await expect.poll(() => there.bodies, SOON).toEqual(['before']);
      there.told.clear();
      subject.breaks();
      // Some calls may still be answered before the outage is noticed.
      const [published, ...ends] = await Promise.allSettled([
        there.broker.publish('r', 'meanwhile'),
        there.broker.read('r', { newest: 1 }, ALL),
        there.broker.subscribe('s'),
        there.broker.claim('@global', 'k', 'one'),
        there.broker.tell('r', { id: 'x', body: 'typing' }),
        there.broker.tellAll({ kind: 'global', id: 'y', body: 'hello' }),
      ]);
      await expect.poll(() => there.broker.available, SOON).toBe(false);
      const reading = there.broker.read('r', { newest: 1 }, ALL);
      expect(await reading.catch((error: unknown) => isUnavailable(error))).toBe(true);
      subject.mends();
      for (const end of [published, ...ends])
        if (end.status === 'rejected') expect(isUnavailable(end.reason)).toBe(true);
      await expect.poll(() => there.broker.available && here.broker.available, SOON).toBe(true);
      // Also the room whose subscribe failed: the broker repeats it.
      await expect.poll(() => [...there.told].toSorted(), SOON).toEqual(['r', 's']);
      await expect.poll(async () => (await here.broker.publish('s', 'after')).settled, SOON).toBeUndefined();
      await expect.poll(() => there.bodies, SOON).toContain('after');
      const page = await there.broker.read('r', { after: id }, ALL);
      expect(page.missing).toBeUndefined();
      // It waited if the broker buffers publications; else its publisher got an error.
      const waited = published.status === 'fulfilled' ? ['meanwhile'] : [];
      await expect
        .poll(async () => {
          const { messages } = await there.broker.read('r', { after: id }, ALL);
          return messages.map(({ body }) => body);
        }, SOON)
        .toEqual(waited);
    });
  });
}
