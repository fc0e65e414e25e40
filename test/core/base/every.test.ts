import { expect, test } from 'vitest';
import { every } from '../../../src/core/base/every.ts';
import { TestClock } from '../../support/test-clock.ts';

test('runs after each interval until it is stopped', () => {
  const clock = new TestClock();
  let runs = 0;
  const stop = every(clock, 100, () => {
    runs += 1;
  });
  clock.advance(99);
  expect(runs).toBe(0);
  clock.advance(1);
  clock.advance(100);
  expect(runs).toBe(2);
  stop();
  clock.advance(1_000);
  expect(runs).toBe(2);
});

test('waits for a run that takes long, and is not started again by one that ends after the stop', async () => {
  const clock = new TestClock();
  const work = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  const stop = every(clock, 100, () => work[runs++]?.promise);
  clock.advance(1_000);
  expect(runs).toBe(1);
  work[0]?.resolve();
  await Promise.resolve();
  clock.advance(100);
  expect(runs).toBe(2);
  stop();
  work[1]?.resolve();
  await Promise.resolve();
  clock.advance(1_000);
  expect(runs).toBe(2);
});
