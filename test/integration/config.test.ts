import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/ports.ts';
import { startPod } from '../support/pod.ts';
import { open, until } from '../support/client.ts';
import { guest, settled } from './people.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

interface Run {
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
}

/** The server in a working directory of its own, with nothing but these settings. */
function run(env: Record<string, string>, cwd: string): Run {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    cwd,
    env: { PATH: process.env['PATH'], LOG_FORMAT: 'json', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output: () => text, exitCode };
}

/** A new directory with this `.env` in it, if any. */
async function directory(dotEnv?: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'crosspod-'));
  onTestFinished(() => rm(path, { recursive: true }));
  if (dotEnv !== undefined) await writeFile(join(path, '.env'), dotEnv);
  return path;
}

/** Starts with faulty settings: the exit code and the lines that name a setting, which must be there. */
async function faults(env: Record<string, string>, dotEnv?: string): Promise<string[]> {
  const { output, exitCode } = run(env, await directory(dotEnv));
  expect([await exitCode, output()]).toEqual([1, expect.stringMatching(/./)]);
  return output().split('\n');
}

/** Occupies a port, so that a process that tries to open it says so. */
async function occupied(): Promise<string> {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, resolve));
  onTestFinished(() => void server.close());
  return String(port);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** The lines about a setting: those that name it before any other. */
function about(name: string, lines: readonly string[]): string[] {
  return lines.filter((line) => /[A-Z]+(?:_[A-Z]+)*/.exec(line)?.[0] === name);
}

/** Each column of wrong values is given to one process at once. */
const WRONG: Record<string, [string, string?, string?, string?]> = {
  PORT: ['http', '65536', '-1', '80.5'],
  OPS_PORT: ['0x50', '1e3', ' ', '99999'],
  SERVER_ADDR: ['localhost', ':99999', 'a b:80', ':'],
  LOG_LEVEL: ['loud', 'INFO!', '3', 'toString'],
  LOG_FORMAT: ['xml', 'true'],
  WS_PATHS: ['ws', '/ws,,/other', '/a b', '/ws?x'],
  BROADCAST_MQ_TYPE: ['kafka', 'Memory '],
  HISTORY_SIZE: ['-1', 'many', '1.5', 'NaN'],
  HISTORY_TTL_SECONDS: ['5m', '-5', 'Infinity'],
  PRESENCE_GRACE_SECONDS: ['1.5', '-1', 'none'],
  PRESENCE_EVENTS_LIMIT: ['none', '-1'],
  MAX_CONNECTIONS: ['1e4', '-1', '10k'],
  MAX_ROOMS_PER_CONNECTION: ['-5', 'all', '0.5'],
  MAX_MESSAGE_BYTES: ['64k', '-1', '65536.5'],
  OUTBOX_MESSAGES: ['x', '-1'],
  OUTBOX_BYTES: ['1MB', '-1'],
  HEARTBEAT_SECONDS: ['often', '-1', '25s'],
  HEARTBEAT_TIMEOUT_SECONDS: ['-60', 'never', '1m'],
  SHUTDOWN_TIMEOUT_SECONDS: ['soon', '-1', '4.5'],
};

describe('Every wrong setting has one line with its name, what was given and what is allowed:', () => {
  test.each([0, 1, 2, 3])('values of column %d', async (column) => {
    const wrong = Object.entries(WRONG).flatMap(([name, values]) => {
      const given = values[column];
      return given === undefined ? [] : [{ name, given }];
    });
    const lines = await faults(Object.fromEntries(wrong.map(({ name, given }) => [name, given])));
    for (const { name, given } of wrong) {
      const mine = about(name, lines);
      const [line = ''] = mine;
      expect([name, mine.length]).toEqual([name, 1]);
      expect(line).toContain(given);
      expect(line.replace(name, '').replace(given, '')).toMatch(/[a-z]{3}/);
    }
  });
});

describe('Faulty settings', () => {
  test('are all reported at once, one line each, before a port is opened', async () => {
    const lines = await faults({
      PORT: await occupied(),
      OPS_PORT: await occupied(),
      LOG_LEVEL: 'loud',
      HISTORY_SIZE: 'many',
      MAX_CONNECTIONS: 'all',
      WS_PATHS: 'ws',
    });
    for (const name of ['LOG_LEVEL', 'HISTORY_SIZE', 'MAX_CONNECTIONS', 'WS_PATHS']) {
      expect(about(name, lines)).toHaveLength(1);
    }
    // It never tried: the ports are not free.
    expect(lines.join('\n')).not.toMatch(/EADDRINUSE|\bPORT\b/);
  });

  test('are reported at once, too, where two that are right in themselves contradict each other', async () => {
    const contradiction = { HEARTBEAT_SECONDS: '60', HEARTBEAT_TIMEOUT_SECONDS: '30' };
    const alone = await faults(contradiction);
    expect(about('HEARTBEAT_TIMEOUT_SECONDS', alone)).toHaveLength(1);
    const together = await faults({ ...contradiction, LOG_LEVEL: 'loud' });
    expect(about('LOG_LEVEL', together)).toHaveLength(1);
    expect(about('HEARTBEAT_TIMEOUT_SECONDS', together)).toHaveLength(1);
  });

  test('of .env are reported like those of the environment', async () => {
    const lines = await faults({ LOG_LEVEL: 'loud' }, 'HISTORY_SIZE=many\n');
    for (const name of ['LOG_LEVEL', 'HISTORY_SIZE']) {
      expect(about(name, lines)).toHaveLength(1);
    }
  });

  test('of .env do not matter where the environment has the setting right', async () => {
    const [port, ops] = [String(await freePort()), String(await freePort())];
    run({ PORT: port, OPS_PORT: ops, LOG_LEVEL: 'info' }, await directory('LOG_LEVEL=loud\n'));
    await until('the pod', () => answers(`http://127.0.0.1:${ops}/readyz`));
  });
});

test('An unknown BROADCAST_MQ_TYPE is answered with those allowed', async () => {
  const lines = await faults({ BROADCAST_MQ_TYPE: 'kafka' });
  expect(lines.find((line) => line.includes('BROADCAST_MQ_TYPE'))).toContain('memory');
});

test('A port that is taken ends the process with 1 and says which', async () => {
  const port = await occupied();
  const lines = await faults({ PORT: port, OPS_PORT: String(await freePort()) });
  expect(lines.join('\n')).toContain(port);
});

test('.env in the working directory is read, and the process environment wins', async () => {
  const [fromFile, fromEnv, ops] = [await freePort(), await freePort(), await freePort()];
  const dotEnv = `PORT=${fromFile}\nOPS_PORT=${ops}\n# a comment\nWS_PATHS="/live"\nHEARTBEAT_SECONDS=7\n`;
  run({ PORT: String(fromEnv) }, await directory(dotEnv));
  await until('the pod', () => answers(`http://127.0.0.1:${ops}/readyz`));
  const client = await open({ wsUrl: `ws://127.0.0.1:${fromEnv}` }, '/live?dialect=message');
  await client.next({ event: 'connected', data: { heartbeat_seconds: 7 } });
  await expect(open({ wsUrl: `ws://127.0.0.1:${fromFile}` }, '/live')).rejects.toThrow('ECONNREFUSED');
});

test('SERVER_ADDR wins over PORT and HOST, with a host or without', async () => {
  for (const host of ['', '127.0.0.1']) {
    const port = await freePort();
    const pod = await startPod({
      SERVER_ADDR: `${host}:${port}`,
      HOST: host === '' ? '0.0.0.0' : '203.0.113.1',
    });
    try {
      await settled(await guest({ ...pod, wsUrl: `ws://127.0.0.1:${port}` }));
      await expect(open(pod, '/ws')).rejects.toThrow('ECONNREFUSED');
    } finally {
      await pod.stop();
    }
  }
});

test('An empty setting is as good as none', async () => {
  const pod = await startPod({ SERVER_ADDR: '', HISTORY_SIZE: '', LOG_LEVEL: '', WS_PATHS: '' });
  try {
    await settled(await guest(pod));
  } finally {
    await pod.stop();
  }
});

test('What a pod writes is one JSON object a line with LOG_FORMAT=json', async () => {
  const pod = await startPod({ LOG_FORMAT: 'json', LOG_LEVEL: 'info' });
  await settled(await guest(pod));
  await pod.stop();
  const lines = pod.output().trim().split('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(JSON.parse(line)).toBeTypeOf('object');
});
