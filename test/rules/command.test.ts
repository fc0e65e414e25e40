import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

const COMMAND = resolve('src/rules-command.ts');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let good: string;
let bad: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crosspod-rules-'));
  [good, bad] = [join(folder, 'good.yaml'), join(folder, 'bad.yaml')];
  await writeFile(good, 'rooms: [{match: a, webhook: [message]}, {match: "*"}, {match: b}]');
  await writeFile(bad, 'rooms:\n  - match: a b\n    histori: 1\n');
  return () => rm(folder, { recursive: true });
});

/** Runs the command as `npm run rules` does, in a folder without a `.env`. */
function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const args = ['--disable-warning=ExperimentalWarning', COMMAND, ...words];
  return new Promise((done) => {
    execFile(process.execPath, args, { env, cwd: folder }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

describe('crosspod rules check', () => {
  test('says what it found, with warnings', async () => {
    const env = { WEBHOOK_URL: 'http://receiver', WEBHOOK_SECRET: 's' };
    expect(await run(['rules', 'check', good], env)).toEqual({
      code: 0,
      stdout: `${good}: 3 rules, no fault\n`,
      stderr: `warning: ${good}, line 1: rule 3 holds for no room, because rule 2 fits all of its rooms\n`,
    });
  });

  test('says each fault with its line', async () => {
    const { code, stdout, stderr } = await run(['rules', 'check', bad]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n').map((line) => line.slice(bad.length, bad.length + 17))).toEqual([
      ', line 2: rule 1:',
      ', line 3: rule 1:',
      '',
    ]);
  });

  test('knows the settings in its environment, but for ROOMS_FILE', async () => {
    const { code, stderr } = await run(['rules', 'check', good], { ROOMS_FILE: bad });
    expect([code, stderr]).toEqual([1, expect.stringContaining('WEBHOOK_URL is not set')]);
  });

  test.each([
    ['a faulty setting', ['rules', 'check', 'good.yaml'], { PORT: 'x' }, 'PORT: "x" is not valid'],
    ['a file that is not there', ['rules', 'check', 'missing.yaml'], {}, 'the file does not exist'],
    ['no file', ['rules', 'check'], {}, 'usage: crosspod rules check FILE'],
    ['another command', ['rules', 'mend', 'good.yaml'], {}, 'usage: crosspod rules check FILE'],
  ])('with %s it ends with 1', async (_, words, env, why) => {
    const { code, stdout, stderr } = await run(words, env);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringContaining(why)]);
  });
});
