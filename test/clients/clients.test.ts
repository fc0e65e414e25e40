import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

const KEY = 'the-key';
const GENERATOR = '7.14.0';

let pod: Pod;
const folder = mkdtempSync(join(tmpdir(), 'crosspod-clients-'));

/** Waits for the program, and gives what it wrote; raises with all of it where it fails. */
function run(cwd: string, program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: 'pipe' });
}

/** A client in this language; gives its folder. */
function generate(language: string, ...options: string[]): string {
  const jar = `openapi-generator-cli-${GENERATOR}.jar`;
  run(
    folder,
    'java',
    '-jar',
    jar,
    'generate',
    '-i',
    'openapi.json',
    '-g',
    language,
    '-o',
    language,
    ...options,
  );
  return join(folder, language);
}

function expectCalls(printed: string, room: string): void {
  expect(printed.trim().split('\n')).toEqual([
    'published',
    'refused invalid_room',
    `room ${room}`,
    'messages 2',
    'disconnected ok',
    'status 400',
  ]);
}

beforeAll(async () => {
  pod = await startPod({ API_KEYS: KEY });
  writeFileSync(join(folder, 'openapi.json'), await (await fetch(`${pod.url}/openapi.json`)).text());
  const artifact = `org.openapitools:openapi-generator-cli:${GENERATOR}`;
  run(folder, 'mvn', '-q', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`);
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await pod.stop();
});

test('a client in Java is compiled, publishes, reads, and learns what was refused', () => {
  const home = generate('java', '--library', 'native');
  copyFileSync('test/clients/Calls.java', join(home, 'src/main/java/Calls.java'));
  run(home, 'mvn', '-q', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=classpath');
  const classpath = `target/classes:${readFileSync(join(home, 'classpath'), 'utf8')}`;
  expectCalls(run(home, 'java', '-cp', classpath, 'Calls', pod.url, KEY), 'java');
});

test('a client in Python is installed, publishes, reads, and learns what was refused', () => {
  const home = generate('python');
  run(home, 'python3', '-m', 'venv', 'venv');
  run(home, 'venv/bin/pip', 'install', '-q', '.');
  const calls = join(process.cwd(), 'test/clients/calls.py');
  expectCalls(run(home, 'venv/bin/python', calls, pod.url, KEY), 'python');
});

test('a client in Go is compiled, publishes, reads, and learns what was refused', () => {
  const home = generate('go');
  // Its own sample tests name a module that does not exist.
  rmSync(join(home, 'test'), { recursive: true });
  mkdirSync(join(home, 'calls'));
  copyFileSync('test/clients/calls.go', join(home, 'calls/main.go'));
  expectCalls(run(home, 'go', 'run', './calls', pod.url, KEY), 'go');
});
