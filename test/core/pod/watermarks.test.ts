import { beforeEach, describe, expect, test } from 'vitest';
import { Watermarks } from '../../../src/core/pod/watermarks.ts';
import { TestClock } from '../../support/test-clock.ts';

const pressure = { used: 0, late: 0, memory: () => pressure.used, lagMs: () => pressure.late };
let said: string[] = [];
const say = (_: object, message: string): void => void said.push(message);

function watching() {
  const clock = new TestClock();
  const watermarks = new Watermarks(pressure, clock, { debug: say, info: say, warn: say, error: say });
  watermarks.start();
  const sees = (used: number, late: number): boolean => {
    Object.assign(pressure, { used, late });
    clock.advance(1_000);
    return watermarks.exceeded;
  };
  return { sees, watermarks, clock };
}

beforeEach(() => {
  said = [];
});

describe('A pod takes connections', () => {
  test('while there is memory, and after too little was left not before there is some more', () => {
    const { sees } = watching();
    expect([0.1, 0.9, 0.91, 0.99, 0.86, 0.85, 0.9].map((used) => sees(used, 0))).toEqual(
      [0, 0, 1, 1, 1, 0, 0].map(Boolean),
    );
  });

  test('while the event loop comes round in time; one stall is no reason', () => {
    const { sees } = watching();
    expect([5_000, 5, 101, 101, 101, 60, 60, 50, 0].map((late) => sees(0, late))).toEqual(
      [0, 0, 0, 1, 1, 1, 1, 0, 0].map(Boolean),
    );
  });

  test('and its log says when it begins to refuse them and when it ends', () => {
    const { sees } = watching();
    for (const used of [0.5, 0.95, 0.96, 0.97]) sees(used, 0);
    expect(said).toEqual(['this pod is overloaded and refuses new connections']);
    // The loop is slow by now: more memory alone does not help.
    sees(0.95, 200);
    sees(0.5, 200);
    expect(said).toHaveLength(1);
    sees(0.5, 0);
    expect(said.slice(1)).toEqual(['this pod accepts new connections again']);
  });

  test('and nobody looks any more once it has stopped', () => {
    const { sees, watermarks } = watching();
    watermarks.stop();
    expect(sees(1, 1_000)).toBe(false);
  });
});
