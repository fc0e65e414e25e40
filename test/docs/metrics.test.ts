import { expect, test } from 'vitest';
import { metricTypes } from '../support/metric-names.ts';
import { readFileSync } from 'node:fs';

test('docs/operations.md tells of every metric, and of no other', async () => {
  const document = readFileSync('docs/operations.md', 'utf8');
  const told = [...document.matchAll(/`((?:realtime|process|nodejs)_\w+)`/g)].map(([, name]) => name);
  expect(new Set(told)).toEqual(new Set((await metricTypes()).keys()));
});
