import * as fc from 'fast-check';
import { test } from 'vitest';
import { CLOSE } from '../../src/protocol/close-codes.ts';
import type { Answer } from './fake-platform.ts';
import { type Step, World } from './reconnect-world.ts';

const CODES = Object.values(CLOSE).map(({ code }) => code);
const answers = fc.option(
  fc.record({
    status: fc.constantFrom(200, 400, 401, 403, 426, 429, 502, 503),
    code: fc.constantFrom('some_code', undefined),
    retryAfter: fc.constantFrom('0', '3', '40'),
  }),
  { nil: undefined },
) as fc.Arbitrary<Answer | undefined>;

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Step>((world) => world.welcomes()) },
    {
      weight: 6,
      arbitrary: fc.tuple(fc.constantFrom(1006, 1006, 1012, 4401, 4999), answers).map(
        ([code, answer]): Step =>
          (world) =>
            world.ends(code, answer),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...CODES).map(
        (code): Step =>
          (world) =>
            world.ends(code, undefined),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.nat(40_000).map(
        (ms): Step =>
          (world) =>
            world.drains(ms),
      ),
    },
    {
      weight: 5,
      arbitrary: fc.nat(60_000).map(
        (ms): Step =>
          (world) =>
            world.passes(ms),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom('worse' as const, 'better' as const).map(
        (hint): Step =>
          (world) =>
            world.hints(hint),
      ),
    },
    { weight: 1, arbitrary: fc.constant<Step>((world) => world.close()) },
    {
      weight: 2,
      arbitrary: fc.constantFrom('same' as const, 'new' as const, 'none' as const, 'never' as const).map(
        (source): Step =>
          (world) =>
            void (world.source = source),
      ),
    },
  ),
  { maxLength: 30 },
);

test('whatever happens: one socket at most, never before the server wants it, never with a worthless token, and it comes back', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      await new World().run(steps);
    }),
    { numRuns: 300 },
  );
}, 60_000);
