import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readFileSync } from 'node:fs';

const run = promisify(execFile);
const readme = readFileSync('README.md', 'utf8');
const examples = [
  ...readme.matchAll(/<!-- example -->\n```js\n([^]*?)```\n```text\n([^]*?)```\n<!-- end -->/g),
].map(([, code = '', output = '']) => ({ code, output }));

let pod: Pod;

beforeAll(async () => {
  pod = await startPod();
});

afterAll(() => pod.stop());

test('README.md has examples', () => {
  expect(examples.length).toBeGreaterThan(0);
  expect(readme.match(/```js\n/g)).toHaveLength(examples.length);
});

test.each(examples)(
  'the example of README.md that prints $output works as it stands, and again',
  async ({ code, output }) => {
    const here = code.replaceAll('ws://localhost:8080', pod.wsUrl);
    const again = (): Promise<string> =>
      run(process.execPath, ['--input-type=module', '--eval', here]).then(({ stdout }) => stdout);
    expect([await again(), await again()]).toEqual([output, output]);
  },
);
