import { describe, expect, test } from 'vitest';
import { ServerClock } from '../../../src/engines/redis/connection/server-clock.ts';
import { TestClock } from '../../support/test-clock.ts';

const NOON = Date.UTC(2026, 0, 1, 12);

/** An answer to TIME. */
function told(ms: number): [number, number] {
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000];
}

/** A pod whose clock shows noon, and a server that was asked for its time at once. */
function pair(serverMs: number): {
  pod: TestClock;
  time: ServerClock;
  asks: (ms: number, takes?: number) => void;
} {
  const pod = new TestClock(NOON);
  const time = new ServerClock(pod);
  const asks = (ms: number, takes = 0): void => {
    const askedAt = pod.elapsed();
    pod.advance(takes);
    time.learn(told(ms), askedAt);
  };
  asks(serverMs);
  return { pod, time, asks };
}

describe('The time of a server', () => {
  test('is the pod’s own until the server has answered', () => {
    expect(new ServerClock(new TestClock(NOON)).now()).toBe(NOON);
  });

  test('advances from its last answer, even if the pod’s clock is set', () => {
    const { pod, time } = pair(NOON + 5_000);
    pod.advance(1_000);
    pod.setBack(60_000);
    expect(time.now()).toBe(NOON + 6_000);
    pod.setBack(-400_000);
    pod.advance(1_000);
    expect(time.now()).toBe(NOON + 7_000);
  });

  test('stays the same if a slow answer does not contradict it', () => {
    const { time, asks } = pair(NOON);
    asks(NOON + 100, 2_000);
    expect(time.now()).toBe(NOON + 2_000);
  });

  test.each([
    ['back', -60_000],
    ['ahead', 400_000],
  ])('is followed where the server’s clock was set %s, to within the time of the answer', (_, by) => {
    const { pod, time, asks } = pair(NOON);
    pod.advance(3_000);
    asks(NOON + 3_000 + by, 10);
    expect(Math.abs(time.now() - (NOON + 3_010 + by))).toBeLessThanOrEqual(10);
  });

  test('is in whole milliseconds', () => {
    const pod = new TestClock(NOON);
    const time = new ServerClock(pod);
    time.learn([NOON / 1_000, 1_500], pod.elapsed());
    expect(time.now()).toBe(NOON + 1);
  });
});
