import { availableParallelism } from 'node:os';
import { describe, expect, test } from 'vitest';
import { ordersOf, playAll } from './crew.ts';
import type { Outcome } from './worker.ts';

/** Seeds that every test run plays; more by `npm run simulate`. */
const SEEDS = 300;
const PART = 10;
/** Seeds that are played twice. */
const TWICE = 6;
const JOBS = Math.min(4, availableParallelism());

function seeds(to: number): Parameters<typeof ordersOf>[0] {
  return { from: 1, to, placement: undefined, without: [] };
}

describe('Whole pods, clients and servers in virtual time, with everything that can break', () => {
  test('No promise of the protocol is broken', { timeout: 300_000 }, async () => {
    const broken: string[] = [];
    await playAll(ordersOf(seeds(SEEDS), PART), JOBS, ({ violations }) => {
      for (const { seed, kind, text } of violations) broken.push(`seed ${seed}, ${kind}: ${text}`);
    });
    expect(broken).toEqual([]);
  });

  test(
    'A seed is played the same way to the byte, in whichever process and after whatever',
    { timeout: 120_000 },
    async () => {
      const hashes = async (orders: ReturnType<typeof ordersOf>): Promise<number[]> => {
        const outcomes: Outcome[] = [];
        await playAll(orders, 1, (outcome) => outcomes.push(outcome));
        return outcomes.sort((one, other) => one.from - other.from).flatMap((outcome) => outcome.hashes);
      };
      const forwards = await hashes(ordersOf(seeds(TWICE), TWICE));
      const backwards = await hashes(ordersOf(seeds(TWICE), 1).toReversed());
      expect(backwards).toEqual(forwards);
      expect(new Set(forwards).size).toBe(TWICE);
    },
  );
});
