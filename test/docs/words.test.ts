import { expect, test } from 'vitest';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a folder are not read: a term that lives in a whole folder names no identifier. */
function text(path: string): string {
  return statSync(path).isDirectory() ? '' : readFileSync(path, 'utf8');
}

test('every identifier that docs/words.md names stands in a file that its row links to', () => {
  const rows = readFileSync('docs/words.md', 'utf8').match(/^\| .*$/gm) ?? [];
  const missing = rows.flatMap((row) => {
    const files = Array.from(row.matchAll(/\]\(([^)#]+)/g), ([, file = '']) => join('docs', file));
    const sources = files.filter((file) => file.startsWith('src/')).map(text);
    const [, named = ''] = /^\| [^|]*\| ([^|]*\|[^|]*)/.exec(row) ?? [];
    const names = Array.from(named.matchAll(/(?<=\(|, |: )`(\w+)`/g), ([, name = '']) => name);
    return names.filter((name) => !sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)));
  });
  expect(rows.length).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

const code = globSync('src/**/*.ts', { exclude: ['src/client/dist/**'] })
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

test.each(['docs/contributor/architecture.md', 'docs/recovery.md'])(
  'every class, interface and method that %s names is in src',
  (path) => {
    const names = Array.from(
      readFileSync(path, 'utf8').matchAll(/`([A-Z][a-z]\w*)(?:\.(\w+))?`/g),
      ([, type = '', member]) => [type, ...(member === undefined ? [] : [member])],
    ).flat();
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  },
);
