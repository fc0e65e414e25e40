import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/client/backoff.ts';

test('the longest wait doubles from one second to thirty', () => {
  const bounds = [0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => backoffMs(attempt, () => 1));
  expect(bounds).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test('a wait lies anywhere between nothing and its bound', () => {
  expect(backoffMs(3, () => 0)).toBe(0);
  expect(backoffMs(3, () => 0.5)).toBe(4_000);
});

test('no attempt and no random number gives a wait outside of 0 to 30 s', () => {
  fc.assert(
    fc.property(
      fc.nat(5_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const wait = backoffMs(attempt, () => random);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(30_000);
      },
    ),
  );
});
