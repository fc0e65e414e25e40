import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';

const SOURCES = [
  'examples/sqlite-broker/sqlite-broker.ts',
  'examples/sqlite-broker/sqlite-history.ts',
  'test/contract/broker-sqlite.test.ts',
];

const read = (file: string): string => readFileSync(file, 'utf8');

test('what docs/contributor/write-an-engine.md shows of the example is what stands there, but for the last block', () => {
  const blocks = Array.from(
    read('docs/contributor/write-an-engine.md').matchAll(/```ts\n(.*?)```/gs),
    ([, block = '']) => block,
  );
  const sources = SOURCES.map(read);
  const shown = blocks.slice(0, -1);
  expect(shown.length).toBeGreaterThan(4);
  expect(shown.filter((block) => !sources.some((source) => source.includes(block)))).toEqual([]);
});
