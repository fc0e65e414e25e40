import { expect, test } from 'vitest';
import { metricTypes } from '../support/metric-names.ts';
import { readFileSync } from 'node:fs';

test('docs/platform/metrics.md documents every metric and no others', async () => {
  const document = readFileSync('docs/platform/metrics.md', 'utf8');
  const documented = [...document.matchAll(/`((?:realtime|process|nodejs)_\w+)`/g)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(new Set((await metricTypes()).keys()));
});
