import { expect, test } from 'vitest';
import { PacedFlush } from '../../../src/core/delivery/paced-flush.ts';
import { TestClock } from '../../support/test-clock.ts';

/** Outboxes whose flush takes `ms`, and the end of a turn. */
function scene(ms: number) {
  const clock = new TestClock();
  const flushed: string[] = [];
  let isDue = false;
  const paced = new PacedFlush(
    clock,
    () => (isDue = true),
    (outbox) => outbox.flush(),
  );
  const flush = (name: string) => (): void => {
    flushed.push(name);
    clock.advance(ms);
  };
  const outboxes = new Map(['a', 'b'].map((name) => [name, { flush: flush(name) }]));
  return {
    clock,
    add: (name: string) => paced.add(outboxes.get(name) ?? { flush: flush(name) }),
    endTurn: () => {
      if (isDue) paced.flush();
      isDue = false;
    },
    takeFlushed: () => flushed.splice(0),
  };
}

test('the first outbox is flushed at the end of its turn, the next ones together after a pause', () => {
  const { clock, add, endTurn, takeFlushed } = scene(0);
  add('a');
  add('a');
  expect(takeFlushed()).toEqual([]);
  endTurn();
  expect(takeFlushed()).toEqual(['a']);
  add('a');
  endTurn();
  clock.advance(5);
  add('b');
  add('a');
  endTurn();
  clock.advance(4);
  expect(takeFlushed()).toEqual([]);
  clock.advance(1);
  expect(takeFlushed()).toEqual(['a', 'b']);
  clock.advance(10);
  add('b');
  endTurn();
  expect(takeFlushed()).toEqual(['b']);
});

test.each([
  { takes: 20, pause: 80 },
  { takes: 1_000, pause: 250 },
])('a flush of $takes ms is followed by a pause of $pause ms', ({ takes, pause }) => {
  const { clock, add, endTurn, takeFlushed } = scene(takes);
  add('a');
  endTurn();
  takeFlushed();
  add('b');
  clock.advance(pause - 1);
  expect(takeFlushed()).toEqual([]);
  clock.advance(1);
  expect(takeFlushed()).toEqual(['b']);
});
