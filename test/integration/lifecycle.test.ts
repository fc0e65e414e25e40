import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { codesOf, draining, ENDLESS, exitOf, sentAway } from './ending.ts';
import { type Frame, RawClient, until } from '../support/client.ts';
import { guest, member, settled } from './people.ts';
import { anotherPod } from '../many-pods/world.ts';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/ports.ts';
import type { PodProcess } from '../support/stack/pods.ts';

const HOOKS_MODULE = fileURLToPath(new URL('../hooks/modules/uncaught.ts', import.meta.url));
const FAULTS = [
  ['an error that is thrown', 'throw', 'thrown by nobody’s call'],
  ['a promise that is rejected', 'reject', 'rejected, and nobody looked'],
] as const;

const ARGUMENTS = ['--disable-warning=ExperimentalWarning', 'src/main.ts'];

/** The lines that a pod has logged as errors. */
function errors(pod: PodProcess): Frame[] {
  const lines = pod.output().trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Frame).filter(({ level }) => level === 50);
}

describe.each(FAULTS)('After %s, and nobody catches it, a pod', (_, what, message) => {
  test('says so, sends its clients away and ends with 1', async () => {
    const pod = await anotherPod({ HOOKS_MODULE });
    const [alice, bob] = [await member(pod, 'room', 'alice'), await guest(pod)];
    alice.send({ type: 'chat', data: { do: what } });
    for (const one of [alice, bob]) await sentAway(one);
    expect(await exitOf(pod)).toEqual({ code: 1, signal: null });
    expect(errors(pod)).toMatchObject([{ err: { message, stack: expect.stringContaining('uncaught.ts') } }]);
  });

  test('goes on with the drain that it had begun, and ends with 1', async () => {
    const pod = await anotherPod({ HOOKS_MODULE, DRAIN_DELAY_SECONDS: '3' });
    const [alice, bob] = [await member(pod, 'room', 'alice'), await guest(pod)];
    const exit = pod.stop();
    await draining(pod);
    alice.send({ type: 'chat', data: { do: what } });
    await until('the fault', () => errors(pod).length === 1);
    for (const one of [alice, bob]) await sentAway(one);
    expect(await exit).toEqual({ code: 1, signal: null });
  });

  test('serves those who have not had their turn, whatever goes wrong meanwhile', async () => {
    const pod = await anotherPod({ HOOKS_MODULE, ...ENDLESS });
    const clients = [await member(pod, 'room', 'alice'), await member(pod, 'room', 'bob')];
    clients[0]?.send({ type: 'chat', data: { do: what } });
    await Promise.race(clients.map(({ closed }) => closed));
    const [left] = clients.filter(({ ws }) => ws.readyState === ws.OPEN);
    for (const n of [2, 3]) {
      left?.send({ type: 'chat', data: { do: what } });
      await until('one more fault', () => errors(pod).length === n);
    }
    if (left !== undefined) await settled(left);
    const exit = pod.stop('SIGINT');
    await until('the signal to be noticed', () => pod.output().includes('the pod is already ending'));
    await pod.stop('SIGTERM');
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(await codesOf(clients)).toEqual([1001, 1012]);
  });
});

test('A client that answers nothing does not keep a pod alive that a fault has ended', async () => {
  const pod = await anotherPod({ HOOKS_MODULE, SHUTDOWN_TIMEOUT_SECONDS: '2' });
  const stubborn = await RawClient.open(pod, '/ws/room');
  const alice = await member(pod, 'room', 'alice');
  alice.send({ type: 'chat', data: { do: 'throw' } });
  expect(await stubborn.closeCode()).toBe(1012);
  expect(await exitOf(pod)).toEqual({ code: 1, signal: null });
});

describe('The times of an end', () => {
  const settings = { DRAIN_DELAY_SECONDS: '20', DRAIN_WINDOW_SECONDS: '10' };

  test.each(['29', '30'])(
    'are refused at the start where %s seconds are too short for them',
    async (timeout) => {
      await expect(anotherPod({ ...settings, SHUTDOWN_TIMEOUT_SECONDS: timeout })).rejects.toThrow(
        new RegExp(
          `ended with 1 before it was ready:[^]*^SHUTDOWN_TIMEOUT_SECONDS: "${timeout}" .*` +
            'DRAIN_DELAY_SECONDS \\(20\\) and DRAIN_WINDOW_SECONDS \\(10\\) together$',
          'm',
        ),
      );
    },
  );
});

test('A pod that is told to end while it waits for Redis at its start ends', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const pod = await launch({ REDIS_URL: `redis://127.0.0.1:${port}` });
  await once(silent, 'connection');
  pod.kill('SIGTERM');
  expect(await once(pod, 'exit')).toEqual([0, null]);
});

test('A pod whose log nobody reads any more ends all the same', async () => {
  const pod = await launch({});
  await once(pod.stdout, 'data');
  pod.stdout.destroy();
  pod.kill('SIGTERM');
  expect(await once(pod, 'exit')).toEqual([0, null]);
});

/** A pod whose output is a pipe to this process; nobody waits until it is ready. */
async function launch(more: Record<string, string>) {
  const ports = { PORT: String(await freePort()), OPS_PORT: String(await freePort()) };
  const env = { PATH: process.env['PATH'], ...ports, ...more };
  const pod = spawn(process.execPath, ARGUMENTS, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void pod.kill('SIGKILL'));
  return pod;
}
