import { expect, test } from 'vitest';
import { TestClock } from '../../support/test-clock.ts';
import { Turn } from '../../../src/core/delivery/turn.ts';

test('what one throws at the end of a turn keeps nobody from what is theirs, rooms, answers and outboxes', () => {
  const flushed: string[] = [];
  const failed: unknown[] = [];
  let end = (): void => undefined;
  const turn = new Turn(
    (run) => void (end = run),
    (error) => failed.push(error),
    new TestClock(),
  );
  const good = (name: string): { flush(): void } => ({ flush: () => void flushed.push(name) });
  const bad = (name: string): { flush(): void } => ({
    flush: () => {
      throw new Error(name);
    },
  });
  const everything = (): void => {
    for (const one of [bad, good]) {
      turn.addOutbox(one('outbox'));
      turn.addAnswer(one('answer'));
      turn.addRoom(one('room'));
    }
    end();
  };
  everything();
  expect(flushed).toEqual(['room', 'answer', 'outbox']);
  expect(failed).toEqual([new Error('room'), new Error('answer'), new Error('outbox')]);
  // The next turn is as good.
  everything();
  expect(flushed).toHaveLength(6);
});
