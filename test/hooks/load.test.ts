import { expect, onTestFinished, test } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { loadHooks } from '../../src/hooks/load.ts';
import { tmpdir } from 'node:os';

async function module(name: string, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crosspod-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

test.each([
  ['hooks.mjs', 'export const onMessage = () => null; export const other = 1;', ['onMessage']],
  [
    'hooks.ts',
    'export function onConnect(c: { id: string }): void { c.id satisfies string }\n' +
      'export async function onDisconnect() {}\nexport const once = 1;',
    ['onConnect', 'onDisconnect'],
  ],
])('%s is loaded, by an absolute path and by one from the working directory', async (name, text, hooks) => {
  const path = await module(name, text);
  expect(Object.keys(await loadHooks(path))).toEqual(hooks);
  expect(Object.keys(await loadHooks(relative(process.cwd(), path)))).toEqual(hooks);
});

test.each([
  ['export const x = 1;', 'it exports no hook'],
  ['export default { onMessage() {} };', 'it exports no hook'],
  [
    'export const onMessage = 5; export const onConnect = {};',
    'onConnect is not a function; onMessage is not',
  ],
  [
    'export function onMesage() {}\nexport function onConnect() {}',
    'it exports onMesage, which is not a hook',
  ],
  ['export function onmessage() {}', 'it exports onmessage, which is not a hook'],
  ['export function onMessage( {', 'it cannot be loaded'],
  ['throw new Error("no database");', 'it cannot be loaded: Error: no database'],
  ['import "./missing.mjs"; export function onMessage() {}', 'it cannot be loaded'],
])('%s is refused: %s', async (text, why) => {
  const path = await module('hooks.mjs', text);
  const error = await loadHooks(path).catch(String);
  expect(error).toMatch(
    /^Error: HOOKS_MODULE: "[^\n]+; allowed: the path of an ES module that exports [^\n]+$/,
  );
  expect(error).toContain(path);
  expect(error).toContain(why);
});

test.each(['/nowhere/hooks.mjs', tmpdir()])('%s is refused: there is no such file', async (path) => {
  await expect(loadHooks(path)).rejects.toThrow(
    `HOOKS_MODULE: "${path}" is not valid (there is no such file)`,
  );
});
