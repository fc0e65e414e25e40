import type { Page, Stored } from '../../../src/core/ports/broker.ts';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../../src/core/base/refused.ts';
import { Sequencer } from '../../../src/core/delivery/sequencer.ts';
import * as fc from 'fast-check';

/** Message n of a room: `prev` is the one before it. */
function message(n: number, epoch = 'e'): Stored {
  return { id: `${epoch}.r.${n}-0`, prev: `${epoch}.r.${n - 1}-0`, body: `${epoch}${n}` };
}

function messages(from: number, to: number): Stored[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => message(from + index));
}

interface Subject {
  readonly sequencer: Sequencer;
  /** Bodies delivered and reasons of losses, in order. */
  readonly seen: string[];
  readonly reads: string[];
}

function sequencerOver(read: (after: string) => Promise<Page>): Subject {
  const seen: string[] = [];
  const reads: string[] = [];
  const sequencer = new Sequencer({
    readAfter(after) {
      reads.push(after);
      return read(after);
    },
    deliver: ({ body }) => seen.push(body),
    lost: (missing, replayed) => seen.push(`lost: ${missing}, ${replayed}`),
    pause: () => new Promise((resolve) => void setImmediate(resolve)),
  });
  return { sequencer, seen, reads };
}

/** A history of the messages 1 to `newest`. */
function historyUpTo(newest: number, limit = 500): (after: string) => Promise<Page> {
  return (after) => {
    const from = Number(/\.(\d+)-/.exec(after)?.[1] ?? 0) + 1;
    const all = messages(from, newest);
    const page = all.slice(0, limit);
    const more = page.length < all.length;
    return Promise.resolve({ messages: page, position: page.at(-1)?.id ?? after, more });
  };
}

const unread = (): Promise<Page> => Promise.reject(new Error('must not be read'));

describe('the sequencer', () => {
  test('delivers messages that follow one another without reading anything', () => {
    const { sequencer, seen, reads } = sequencerOver(unread);
    sequencer.start('e.r.0-0');
    for (const one of messages(1, 3)) sequencer.accept(one);
    expect(seen).toEqual(['e1', 'e2', 'e3']);
    expect(sequencer.position).toBe('e.r.3-0');
    expect(reads).toEqual([]);
  });

  test('drops echoes and duplicates', () => {
    const { sequencer, seen } = sequencerOver(unread);
    sequencer.start('e.r.0-0');
    for (const n of [1, 1, 2, 1, 2, 3, 3]) sequencer.accept(message(n));
    expect(seen).toEqual(['e1', 'e2', 'e3']);
  });

  test('sorts in what came before it was told where to start', () => {
    const { sequencer, seen } = sequencerOver(unread);
    for (const one of messages(1, 5)) sequencer.accept(one);
    expect(seen).toEqual([]);
    sequencer.start('e.r.3-0');
    expect(seen).toEqual(['e4', 'e5']);
  });

  test('says once what is missing before all of several pages, and how many messages they have', async () => {
    const history = historyUpTo(7, 3);
    const { sequencer, seen } = sequencerOver(async (after) => {
      const page = await history(after);
      return after === 'e.r.7-0' ? page : { ...page, missing: 'history_lost' };
    });
    sequencer.start('e.r.0-0');
    sequencer.accept(message(9));
    await sequencer.settled();
    expect(seen).toEqual(['lost: history_lost, 7', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7']);
  });

  test('reads a gap from the history and goes on after it', async () => {
    const { sequencer, seen, reads } = sequencerOver(historyUpTo(5));
    sequencer.start('e.r.0-0');
    sequencer.accept(message(1));
    sequencer.accept(message(5));
    sequencer.accept(message(6));
    await sequencer.settled();
    sequencer.accept(message(7));
    expect(seen).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7']);
    expect(reads).toEqual(['e.r.1-0']);
  });

  test('reads a long gap page by page', async () => {
    const { sequencer, seen } = sequencerOver(historyUpTo(100, 7));
    sequencer.start('e.r.0-0');
    sequencer.accept(message(100));
    await sequencer.settled();
    expect(seen).toEqual(messages(1, 100).map(({ body }) => body));
  });

  test('tries again when the history cannot be read', async () => {
    let attempts = 0;
    const history = historyUpTo(3);
    const { sequencer, seen } = sequencerOver((after) => {
      attempts += 1;
      return attempts < 4 ? Promise.reject(new Error('away')) : history(after);
    });
    sequencer.start('e.r.0-0');
    sequencer.accept(message(3));
    await sequencer.settled();
    expect(seen).toEqual(['e1', 'e2', 'e3']);
  });

  test('says why when the history no longer holds what is missing, and delivers what it holds', async () => {
    const kept: Page = { messages: messages(8, 9), position: 'e.r.9-0', more: false, missing: 'trimmed' };
    const { sequencer, seen } = sequencerOver(() => Promise.resolve(kept));
    sequencer.start('e.r.0-0');
    sequencer.accept(message(9));
    await sequencer.settled();
    sequencer.accept(message(10));
    expect(seen).toEqual(['lost: trimmed, 2', 'e8', 'e9', 'e10']);
  });

  test('takes another epoch for a lost history, however its positions compare', async () => {
    const fresh: Page = {
      messages: [message(1, 'f')],
      position: 'f.r.1-0',
      more: false,
      missing: 'history_lost',
    };
    const { sequencer, seen } = sequencerOver(() => Promise.resolve(fresh));
    sequencer.start('e.r.7-0');
    sequencer.accept(message(1, 'f'));
    await sequencer.settled();
    sequencer.accept(message(2, 'f'));
    expect(seen).toEqual(['lost: history_lost, 1', 'f1', 'f2']);
  });

  test('drops what arrived before the history was read and is not in it: of a timeline that a failover dropped', async () => {
    const { sequencer, seen, reads } = sequencerOver(historyUpTo(3));
    sequencer.start('e.r.3-0');
    sequencer.accept({ id: 'd.r.9-0', prev: 'd.r.8-0', body: 'dropped' });
    await sequencer.settled();
    sequencer.accept(message(4));
    expect(seen).toEqual(['e4']);
    expect(reads).toEqual(['e.r.3-0']);
  });

  test('goes on across epochs where nothing was lost: the next message names the last one', () => {
    const { sequencer, seen } = sequencerOver(unread);
    sequencer.start('e.r.0-0');
    sequencer.accept(message(1));
    sequencer.accept({ id: 'f.r.2-0', prev: 'e.r.1-0', body: 'f2' });
    expect(seen).toEqual(['e1', 'f2']);
  });

  test('reads what was missed when it is told of a newer position, and nothing for one that it has', async () => {
    const { sequencer, seen, reads } = sequencerOver(historyUpTo(5));
    sequencer.start('e.r.2-0');
    sequencer.expect('e.r.2-0');
    expect(reads).toEqual([]);
    sequencer.expect('e.r.5-0');
    await sequencer.settled();
    expect(seen).toEqual(['e3', 'e4', 'e5']);
    sequencer.expect(undefined);
    await sequencer.settled();
    expect(reads).toEqual(['e.r.2-0', 'e.r.5-0']);
  });

  test('looks into it when it is told of an earlier position: history may have gone back', async () => {
    const { sequencer, seen, reads } = sequencerOver(historyUpTo(5));
    sequencer.start('e.r.5-0');
    sequencer.expect('e.r.3-0');
    await sequencer.settled();
    expect(reads).toEqual(['e.r.5-0']);
    expect(seen).toEqual([]);
  });

  test('leaves a gap open while the history cannot be had, and closes it when it is told to go on', async () => {
    const history = historyUpTo(4);
    let away = true;
    const { sequencer, seen, reads } = sequencerOver((after) =>
      away ? Promise.reject(new Refused('unavailable')) : history(after),
    );
    sequencer.start('e.r.0-0');
    sequencer.accept(message(4));
    await sequencer.settled();
    expect([seen, reads.length]).toEqual([[], 1]);
    away = false;
    sequencer.expect('e.r.4-0');
    await sequencer.settled();
    sequencer.accept(message(5));
    expect(seen).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
  });

  test('says that a message waits, and that it is delivered once the gap before it is closed', async () => {
    const { sequencer, seen } = sequencerOver(historyUpTo(3));
    sequencer.start('e.r.0-0');
    sequencer.accept(message(1));
    expect([1, 3].map((n) => sequencer.holds(message(n).id))).toEqual([false, false]);
    sequencer.accept(message(3));
    expect([1, 3].map((n) => sequencer.holds(message(n).id))).toEqual([false, true]);
    expect(await sequencer.delivered(message(3).id)).toBe(true);
    expect(seen).toEqual(['e1', 'e2', 'e3']);
  });

  test('lets go of a message whose gap cannot be closed; history has it, or another in its place', async () => {
    let history: ((after: string) => Promise<Page>) | undefined;
    const { sequencer, seen } = sequencerOver(
      (after) => history?.(after) ?? Promise.reject(new Refused('unavailable')),
    );
    sequencer.start('e.r.0-0');
    for (const n of [2, 3, 4]) sequencer.accept(message(n));
    expect(await sequencer.delivered(message(3).id)).toBe(false);
    expect([2, 3, 4].map((n) => sequencer.holds(message(n).id))).toEqual([true, false, true]);
    history = historyUpTo(4);
    sequencer.expect('e.r.4-0');
    await sequencer.settled();
    expect(seen).toEqual(['e1', 'e2', 'e3', 'e4']);
  });

  test('delivers everything even if far more arrives during a read than it keeps', async () => {
    let answer: (page: Page) => void = () => undefined;
    const history = historyUpTo(3_000);
    let first = true;
    const { sequencer, seen } = sequencerOver((after) => {
      if (!first) return history(after);
      first = false;
      return new Promise((resolve) => (answer = resolve));
    });
    sequencer.start('e.r.0-0');
    for (const one of messages(2, 3_000)) sequencer.accept(one);
    answer({ messages: messages(1, 1), position: 'e.r.1-0', more: false });
    await sequencer.settled();
    expect(seen).toEqual(messages(1, 3_000).map(({ body }) => body));
  });

  test('whatever arrives in whatever order, each message is delivered once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 }), async (arrivals) => {
        const newest = Math.max(0, ...arrivals);
        const { sequencer, seen } = sequencerOver(historyUpTo(newest, 5));
        sequencer.start('e.r.0-0');
        for (const n of arrivals) {
          sequencer.accept(message(n));
          if (n % 3 === 0) await sequencer.settled();
        }
        await sequencer.settled();
        expect(seen).toEqual(messages(1, newest).map(({ body }) => body));
      }),
      { numRuns: 500 },
    );
  });
});
