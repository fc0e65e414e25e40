import { describe, expect, test } from 'vitest';
import { ReorderBuffer } from '../../../src/engines/nats/history/reorder-buffer.ts';
import { TestClock } from '../../support/test-clock.ts';

const data = new Uint8Array();

/** A buffer for a room that is known up to `newest`, and up to what the buffer has passed on. */
function arrivals(newest: number | undefined) {
  const clock = new TestClock();
  const passed: number[] = [];
  const taker = new ReorderBuffer({
    clock,
    newest: () => passed.at(-1) ?? newest,
    pass: (_room, { seq }) => passed.push(seq),
  });
  return {
    clock,
    passed,
    take: (seq: number, lastSeq: number) => taker.take('r', { seq, lastSeq, data }),
    taker,
  };
}

describe('a room’s messages that come by subscription', () => {
  test('are passed on at once in order, also if the room is not known', () => {
    for (const newest of [5, undefined]) {
      const { take, passed } = arrivals(newest);
      take(7, 5);
      take(8, 7);
      expect(passed).toEqual([7, 8]);
    }
  });

  test('wait for the message before them, however many wait', () => {
    const { take, passed, clock } = arrivals(5);
    take(9, 8);
    take(8, 7);
    expect(passed).toEqual([]);
    take(7, 5);
    expect(passed).toEqual([7, 8, 9]);
    clock.advance(1_000);
    expect(passed).toEqual([7, 8, 9]);
  });

  test('do not wait for long', () => {
    const { take, passed, clock } = arrivals(5);
    take(9, 8);
    take(8, 7);
    clock.advance(1_000);
    expect(passed).toEqual([8, 9]);
  });

  test('are passed on if repeated, and if they are the first of an empty room', () => {
    const { take, passed } = arrivals(0);
    take(3, 0);
    take(3, 0);
    expect(passed).toEqual([3, 3]);
  });

  test('are forgotten with their room', () => {
    const { take, passed, clock, taker } = arrivals(5);
    take(9, 8);
    taker.forget('r');
    clock.advance(1_000);
    expect(passed).toEqual([]);
  });
});
