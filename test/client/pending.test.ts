import { expect, test } from 'vitest';
import { CrosspodError } from '../../src/client/errors.ts';
import { FakeClock } from './fake-clock.ts';
import { Pending } from '../../src/client/pending.ts';

test('what was sent before, had no answer and is refused for now once its turn is over is sent again', async () => {
  const clock = new FakeClock();
  const sent: string[] = [];
  const pending = new Pending(clock, (text) => sent.push((JSON.parse(text) as { ref: string }).ref) > 0);
  const first = pending.add('first', {});
  const second = pending.add('second', {});
  pending.resume();
  // The server says nothing: the second follows.
  await clock.advance(2_500);
  expect(sent).toEqual(['first', 'second', 'first', 'second']);
  const refusal = new CrosspodError('unavailable', 'as many messages wait as may', 1_000);
  expect(pending.rejected('first', refusal)).toBe(true);
  await clock.advance(999);
  expect(sent).toHaveLength(4);
  await clock.advance(1);
  expect(sent.slice(4)).toEqual(['first']);
  pending.acked('first', '1');
  pending.acked('second', '2');
  expect(await Promise.all([first, second])).toEqual(['1', '2']);
});
