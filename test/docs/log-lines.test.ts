import { expect, test } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function textOf(folder: string, ending: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith(ending))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

const LINES = [
  'a hook failed',
  'new rules for rooms are in force',
  'the file of rules is not valid',
  'the history of a room went back or lost messages',
  'Redis is available',
];

test.each(LINES)('the log line “%s”, which docs/platform tells operators to look for, is logged', (line) => {
  expect(textOf('docs/platform', '.md')).toContain(`\`${line}\``);
  expect(textOf('src', '.ts')).toMatch(new RegExp(`'${line}[;']`));
});
