import { expect, test } from 'vitest';
import { globSync, readFileSync } from 'node:fs';

const TRIED = 'src/engines/redis/lua/connection/rights.lua';
/** Sent before any script, so that a missing right shows; or optional. */
const ELSEWHERE = ['CLIENT', 'CLUSTER', 'EVALSHA', 'INFO', 'SCRIPT'];

function commandsIn(files: readonly string[], pattern: RegExp): Set<string> {
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name.toUpperCase())),
  );
}

test('every command that a pod sends, itself or in a script, is tried before Redis counts as available', () => {
  const tried = commandsIn([TRIED], /\btry\('(\w+)'/g);
  const scripts = globSync('src/**/*.lua').filter((file) => file !== TRIED);
  const sent = commandsIn(scripts, /\b(?:call|pcall|page)\('(\w+)'/g);
  for (const name of commandsIn(globSync('src/**/*.ts'), /\bclient\) => client\.(\w+)\(/g)) sent.add(name);
  for (const name of ELSEWHERE) sent.delete(name);
  expect(sent.size).toBeGreaterThan(25);
  expect([...sent].filter((name) => !tried.has(name))).toEqual([]);
});
