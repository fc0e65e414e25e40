import { expect, test } from 'vitest';
import { SCENARIOS } from './scenarios/all.ts';
import { storyOfScenario } from './crew.ts';

test.each(SCENARIOS.map(({ name }) => name))('%s', { timeout: 60_000 }, async (name) => {
  expect(await storyOfScenario(name)).toBe('');
});
