import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { FileRules } from '../../src/rules/file-rules.ts';
import { TestClock } from '../support/test-clock.ts';
import { CONTEXT } from './context.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: { readonly faults?: readonly string[]; readonly warnings?: readonly string[] };
}

let folder: string;
let path: string;
let clock: TestClock;
let lines: Line[];
let hangup: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosspod-rules-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'rooms.yaml');
  clock = new TestClock();
  lines = [];
});

function load(): Promise<FileRules> {
  const logger =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields });
  const log = { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') };
  const onHangup = (task: () => void): (() => void) => {
    hangup = task;
    return () => (hangup = () => undefined);
  };
  return FileRules.load({ ...CONTEXT, path, clock, log, onHangup });
}

/** Follows the file; the number that `changed` counts. */
async function follow(): Promise<{ rules: FileRules; changes: () => number }> {
  const rules = await load();
  let changes = 0;
  rules.start(() => (changes += 1));
  onTestFinished(() => rules.stop());
  return { rules, changes: () => changes };
}

/** Lets time pass until `read` gives this; reports how much. */
async function passUntil<T>(read: () => T, expected: T): Promise<number> {
  const start = clock.elapsed();
  await expect
    .poll(
      () => {
        const value = read();
        if (value !== expected) clock.advance(100);
        return value;
      },
      { interval: 1 },
    )
    .toBe(expected);
  return clock.elapsed() - start;
}

const FAULTY = 'rooms:\n  - match: a b\n';

test('it has the rules of the file', async () => {
  await writeFile(path, 'rooms: [{match: a, publish: server}]');
  const rules = await load();
  expect([rules.ruleOf('a').publish, rules.ruleOf('b').publish]).toEqual(['server', 'clients']);
  expect(rules.figures).toEqual({ rules: 1, loadedAt: clock.now(), failures: 0 });
});

test.each([
  ['that does not exist', () => undefined, 'the file does not exist'],
  ['that is a folder', () => mkdir(path), 'this is a folder'],
  ['that is empty', () => writeFile(path, ''), 'the file is empty'],
  ['of 10 MB', () => writeFile(path, '#'.repeat(10_000_000)), 'the file is larger than 1048576 bytes'],
  ['in another encoding', () => writeFile(path, Buffer.from([0x72, 0xff, 0xfe])), 'the file is not UTF-8'],
  ['with a fault', () => writeFile(path, FAULTY), 'line 2: rule 1: match: "a b" is not valid'],
])('a file %s is refused', async (_, prepare, why) => {
  await prepare();
  await expect(load()).rejects.toThrow(why);
});

test('other rules come into force when the file changes', async () => {
  await writeFile(path, 'rooms: [{match: a}]');
  const { rules, changes } = await follow();
  const before = clock.now();
  expect(rules.ruleOf('a').publish).toBe('clients');
  await writeFile(path, 'rooms: [{match: a, publish: nobody}, {match: b}]');
  await passUntil(() => rules.ruleOf('a').publish, 'nobody');
  expect(changes()).toBe(1);
  expect(rules.figures.rules).toBe(2);
  expect(rules.figures.loadedAt).toBeGreaterThan(before);
});

test('it follows a symbolic link that names another folder, as a mounted ConfigMap does', async () => {
  for (const [version, publish] of [
    ['one', 'server'],
    ['two', 'nobody'],
  ] as const) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'rooms.yaml'), `rooms: [{match: a, publish: ${publish}}]`);
  }
  await symlink('one', join(folder, '..data'));
  await symlink('..data/rooms.yaml', path);
  const { rules } = await follow();
  expect(rules.ruleOf('a').publish).toBe('server');
  await symlink('two', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await passUntil(() => rules.ruleOf('a').publish, 'nobody');
});

test('at SIGHUP it reads the file at once', async () => {
  await writeFile(path, 'rooms: [{match: a}]');
  const { rules } = await follow();
  await writeFile(path, 'rooms: [{match: a, publish: nobody}]');
  hangup();
  await expect.poll(() => rules.ruleOf('a').publish).toBe('nobody');
  hangup();
  await expect.poll(() => lines.at(-1)?.message).toBe('SIGHUP: the file of rules has not changed');
});

test.each([
  ['faulty', () => writeFile(path, FAULTY), 'line 2'],
  ['empty', () => writeFile(path, ''), 'the file is empty'],
  ['missing', () => rm(path), 'the file does not exist'],
])('while the file is %s, the former rules stay, and one line says so', async (_, spoil, why) => {
  await writeFile(path, 'rooms: [{match: a, publish: server}]');
  const { rules, changes } = await follow();
  await spoil();
  await passUntil(() => rules.figures.failures, 1);
  for (let look = 0; look < 3; look += 1) hangup();
  await expect.poll(() => lines.filter(({ level }) => level === 'info')).toHaveLength(3);
  expect(rules.ruleOf('a').publish).toBe('server');
  expect(rules.figures).toMatchObject({ rules: 1, failures: 1 });
  const errors = lines.filter(({ level }) => level === 'error');
  expect(errors).toHaveLength(1);
  expect(errors[0]?.fields.faults?.join()).toContain(why);
  expect(changes()).toBe(0);
  await writeFile(path, 'rooms: [{match: a, publish: nobody}]');
  await passUntil(() => rules.ruleOf('a').publish, 'nobody');
});

test('each faulty version of the file is told once', async () => {
  await writeFile(path, 'rooms: []');
  const { rules } = await follow();
  await writeFile(path, FAULTY);
  await passUntil(() => rules.figures.failures, 1);
  await writeFile(path, `${FAULTY}# another version\n`);
  await passUntil(() => rules.figures.failures, 2);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2);
});

test('rules that hold for no room are told in a warning', async () => {
  await writeFile(path, 'rooms: [{match: "*"}, {match: a}]');
  await load();
  expect(lines.map(({ fields }) => fields.warnings?.length)).toEqual([1]);
});

test('after the end it follows the file no longer', async () => {
  await writeFile(path, 'rooms: [{match: a}]');
  const { rules, changes } = await follow();
  rules.stop();
  await writeFile(path, 'rooms: []');
  hangup();
  clock.advance(60_000);
  expect(changes()).toBe(0);
});
