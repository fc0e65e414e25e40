import { TestPod, turns } from '../../support/test-pod.ts';
import { describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import { Allowance } from '../../../src/core/base/allowance.ts';
import { Bucket } from '../../../src/core/base/rate-limit.ts';

const START = Date.UTC(2026, 0, 1);

/** Moments of a clock that is never set back. */
const moments = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3_000 })), {
    minLength: 1,
    maxLength: 100,
  })
  .map((gaps) => {
    let at = START;
    return gaps.map((gap) => (at += gap));
  });
const rate = fc.integer({ min: 1, max: 1_000 });

describe('A bucket', () => {
  test('gives its burst at once and then says how long to wait', () => {
    const bucket = new Bucket(4, 8, START);
    const answers = Array.from({ length: 10 }, () => bucket.take(START));
    expect(answers).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 250, 250]);
    expect(bucket.take(START + 125)).toBe(125);
    expect(bucket.take(START + 250)).toBe(0);
    expect(bucket.take(START + 250)).toBe(250);
  });

  test('gives in no span of time more than the burst and what comes in that time', () => {
    fc.assert(
      fc.property(moments, rate, fc.integer({ min: 1, max: 20 }), (times, perSecond, burst) => {
        const bucket = new Bucket(perSecond, burst, START);
        const given = times.filter((now) => bucket.take(now) === 0);
        given.forEach((from, first) => {
          given.slice(first).forEach((to, index) => {
            expect(index + 1).toBeLessThanOrEqual(burst + ((to - from) * perSecond) / 1_000 + 1e-6);
          });
        });
      }),
    );
  });

  test('gives whoever keeps to the rate one each time', () => {
    fc.assert(
      fc.property(rate, (perSecond) => {
        const bucket = new Bucket(perSecond, perSecond * 2, START);
        const gap = Math.ceil(1_000 / perSecond);
        for (let n = 0; n < 200; n += 1) expect(bucket.take(START + n * gap)).toBe(0);
      }),
    );
  });

  test('has one after the time that it says, and not before', () => {
    fc.assert(
      fc.property(moments, rate, fc.integer({ min: 1, max: 20 }), (times, perSecond, burst) => {
        const last = times.at(-1) ?? START;
        const after = (ms: number): number => {
          const bucket = new Bucket(perSecond, burst, START);
          for (const now of times) bucket.take(now);
          while (bucket.take(last) === 0);
          return bucket.take(last + ms);
        };
        const wait = after(0);
        expect(Number.isInteger(wait) && wait > 0).toBe(true);
        if (wait > 1) expect(after(wait - 1)).toBeGreaterThan(0);
        // Fractions may lack a billionth at the very moment.
        expect(Math.min(after(wait), after(wait + 1))).toBe(0);
      }),
    );
  });

  test('that was left alone long enough gives what a new one gives', () => {
    fc.assert(
      fc.property(
        moments,
        moments,
        rate,
        fc.integer({ min: 1, max: 20 }),
        (before, gaps, perSecond, burst) => {
          const bucket = new Bucket(perSecond, burst, START);
          for (const now of before) bucket.take(now);
          const last = before.at(-1) ?? START;
          const full = last + Math.ceil((burst * 1_000) / perSecond) + 1;
          const young = new Bucket(perSecond, burst, full);
          for (const gap of gaps) {
            const now = full + (gap - START);
            expect(bucket.take(now)).toBe(young.take(now));
          }
        },
      ),
    );
  });

  test('neither gives nor takes anything when the clock is set back', () => {
    const bucket = new Bucket(1, 2, START);
    bucket.take(START);
    expect(bucket.take(START - 3_600_000)).toBe(0);
    expect(bucket.take(START - 3_600_000)).toBe(1_000);
    expect(bucket.take(START - 3_600_000 + 1_000)).toBe(0);
  });
});

describe('An allowance', () => {
  test('is so many a second, and twice as many at once', () => {
    const allowance = new Allowance(5, START);
    const answers = Array.from({ length: 12 }, () => allowance.take(START));
    expect(answers).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 200]);
    expect(allowance.take(START + 200)).toBe(0);
  });

  /** Sends far too much in each of these seconds. */
  const abuse = (allowance: Allowance, seconds: readonly number[]): void => {
    for (const second of seconds) for (let n = 0; n < 30; n += 1) allowance.take(START + second * 1_000 + n);
  };

  test('is abused once something was refused in each of ten seconds in a row', () => {
    const allowance = new Allowance(1, START);
    abuse(allowance, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(allowance.isAbused).toBe(false);
    abuse(allowance, [9]);
    expect(allowance.isAbused).toBe(true);
  });

  test('is not abused when one second passes without a refusal', () => {
    const allowance = new Allowance(1, START);
    abuse(allowance, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    abuse(allowance, [10, 11, 12, 13, 14, 15, 16, 17, 18]);
    expect(allowance.isAbused).toBe(false);
    abuse(allowance, [19]);
    expect(allowance.isAbused).toBe(true);
  });

  test('is not abused by ever so many refusals in nine seconds', () => {
    const allowance = new Allowance(1, START);
    for (let n = 0; n < 9_000; n += 1) allowance.take(START + n);
    expect(allowance.isAbused).toBe(false);
  });

  test('is abused exactly when the last ten seconds until a refusal all have one', () => {
    const busy = fc.array(fc.integer({ min: 0, max: 1_100 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(busy, fc.integer({ min: 1, max: 2 }), (gaps, perSecond) => {
        const allowance = new Allowance(perSecond, START);
        const refused = new Set<number>();
        let now = START;
        for (const gap of gaps) {
          now += gap;
          const second = Math.floor(now / 1_000);
          if (allowance.take(now) === 0) continue;
          refused.add(second);
          const lastTen = Array.from({ length: 10 }, (_, n) => second - n);
          expect(allowance.isAbused).toBe(lastTen.every((one) => refused.has(one)));
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('a connection has its allowance by the time that passes, whatever the clock of the pod is set to', async () => {
  const it = new TestPod({ messagesPerSecond: 1 });
  const { socket, send } = it.connect('alice');
  const answers = async (): Promise<unknown[]> => {
    await turns();
    return socket.frames.slice(1).map(({ type }) => type);
  };
  for (let n = 0; n < 3; n += 1) send({ type: 'ping' });
  expect(await answers()).toEqual(['pong', 'pong', 'error']);
  it.clock.setBack(-400_000);
  send({ type: 'ping' });
  it.clock.setBack(800_000);
  it.clock.advance(1_000);
  send({ type: 'ping' });
  expect(await answers()).toEqual(['pong', 'pong', 'error', 'error', 'pong']);
});
