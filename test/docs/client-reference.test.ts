import { expect, test } from 'vitest';
import { CLIENT_REFERENCE, referenceFingerprint, referenceHeader } from '../../scripts/client-reference.ts';
import { readFileSync } from 'node:fs';

test('the API reference of the client is that of its declarations (npm run docs:client writes it)', () => {
  const page = readFileSync(CLIENT_REFERENCE, 'utf8');
  const text = page.slice(referenceHeader('').length + 16);
  expect(page).toBe(referenceHeader(referenceFingerprint(text)) + text);
});

test('the API reference has a section for each export of the client', async () => {
  const page = readFileSync(CLIENT_REFERENCE, 'utf8');
  const source = readFileSync('src/client/client.ts', 'utf8');
  const lists = [...source.matchAll(/^export (?:type )?\{ (.*) \}/gm)].flatMap(([, names = '']) =>
    names.split(', '),
  );
  const declared = [...source.matchAll(/^export (?:class|interface) (\w+)/gm)].map(([, name = '']) => name);
  const exported = [...lists, ...declared];
  expect(exported).toContain('Crosspod');
  for (const name of exported) expect(page).toContain(`\n### ${name}\n`);
});
