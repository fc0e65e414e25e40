import { DOCUMENTS, TABLES, withTables } from '../../scripts/tables.ts';
import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';

test.each(DOCUMENTS)('the tables of %s are those of the code (npm run docs writes them)', (path) => {
  const document = readFileSync(path, 'utf8');
  expect(document).toBe(withTables(document));
});

test('every table stands in a document', () => {
  const all = DOCUMENTS.map((path) => readFileSync(path, 'utf8')).join('\n');
  for (const name of Object.keys(TABLES)) expect(all).toContain(`<!-- table ${name} -->`);
});
