import { expect, test } from 'vitest';
import * as fc from 'fast-check';
import { Timestamps } from '../../../src/core/base/timestamps.ts';

const moment = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

test('writes each moment as Date does, and reads it back, whatever second came before', () => {
  const timestamps = new Timestamps();
  const nearby = fc
    .tuple(moment, fc.array(fc.integer({ min: 0, max: 2_500 })))
    .map(([start, gaps]) => gaps.map((gap) => start + gap));
  fc.assert(
    fc.property(nearby, (moments) => {
      for (const ms of moments) {
        const text = timestamps.write(ms);
        expect(text).toBe(new Date(ms).toISOString());
        expect(timestamps.read(`"timestamp":"${text}"}`, 13)).toBe(ms);
      }
    }),
  );
});

test('a clock with fractions of a millisecond is cut, as Date cuts it', () => {
  expect(new Timestamps().write(1_767_225_600_123.9)).toBe('2026-01-01T00:00:00.123Z');
});

test.each(['', 'yesterday', '2026-01-01T00:00:00.1x3Z', '2026-13-01T00:00:00.123Z'])(
  '%j is no timestamp',
  (text) => {
    const timestamps = new Timestamps();
    timestamps.read('2026-01-01T00:00:00.000Z', 0);
    expect(timestamps.read(text, 0)).toBeUndefined();
  },
);
