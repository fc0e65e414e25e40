import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { type CommandLine, startCommandLine } from './command-line.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
const PATIENT = { timeout: 30_000 };

/** The process ids that `status` shows; the last part it shows is HAProxy. */
async function pidsOf(stack: CommandLine): Promise<number[]> {
  stack.type('status');
  const [text] = await stack.prints(/[^]*haproxy .*\n/);
  return [...text.matchAll(/ pid (\d+)/g)].map(([, pid]) => Number(pid));
}

function alive(pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

/** The log files of all parts, from the addresses that are printed first. */
async function logsOf(stack: CommandLine): Promise<string[]> {
  const [text] = await stack.prints(/[^]*haproxy +http:[^]*\nready; help lists the commands\n/);
  return [...text.matchAll(/ log: (\S+)/g)].map(([, log = '']) => log);
}

/** A stack that is up, and what must be gone with it. */
async function startSmall(): Promise<{ stack: CommandLine; pids: number[]; logs: string[] }> {
  const stack = startCommandLine('--pods', '1');
  const logs = await logsOf(stack);
  const pids = await pidsOf(stack);
  expect([alive(pids).length, logs.filter(existsSync).length]).toEqual([3, 3]);
  return { stack, pids, logs };
}

test(
  'a stack with Sentinels, broken and mended at its prompt, leaves nobody behind',
  { timeout: 120_000 },
  async () => {
    const stack = startCommandLine('--pods', '2', '--sentinel');
    const logs = await logsOf(stack);
    const pids = await pidsOf(stack);
    expect(alive(pids)).toHaveLength(2 + 3 + 3 + 1);

    stack.type('kill redis-2');
    await stack.prints(/redis-2 is killed\n/);
    stack.type('status');
    await stack.prints(
      /pod-1 +running .* ready \(200\); connections 0, rooms 0; frames received 0, sent 0\n/,
    );
    await stack.prints(
      /redis-1 +running .* master, replicas: redis-3\nredis-2 +ended\nredis-3 .* replica of redis-1/,
    );
    await stack.prints(/sentinel-3 +running .* says redis-1 is the master\nhaproxy +running .* pod-2 UP/);

    stack.type('failover');
    await stack.prints(/redis-3 is the master now\n/);

    stack.type('freeze pod-1');
    await stack.prints(/pod-1 is frozen\n/);
    stack.type('status');
    await stack.prints(/pod-1 +frozen .* no answer\n/);
    stack.type('stop pod-1');
    await stack.prints(/pod-1 ended with 0\n/);
    stack.type('start pod-1');
    await stack.prints(/pod-1 is ready\n/);

    stack.type('quit');
    expect(await stack.ended()).toBe(0);
    expect(alive(pids)).toEqual([]);
    expect(logs.map(dirname).filter(existsSync)).toEqual([]);
  },
);

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', 'SIGKILL'],
] as const)('%s leaves nobody behind', { timeout: 60_000 }, async (signal, code) => {
  const { stack, pids, logs } = await startSmall();
  stack.type('freeze redis-1');
  await stack.prints(/redis-1 is frozen\n/);
  stack.signal(signal);
  expect(await stack.ended()).toBe(code);
  await expect.poll(() => alive(pids), PATIENT).toEqual([]);
  await expect.poll(() => logs.map(dirname).filter(existsSync), PATIENT).toEqual([]);
});

test(
  'a mistake at the prompt is answered, and the end of the input is the end',
  { timeout: 60_000 },
  async () => {
    const { stack, pids } = await startSmall();
    for (const [line, answer] of [
      ['help', /^help +this list\n[^]*as status has them\n/],
      ['burn pod-1', /^burn is no command; help lists them all\n/],
      ['kill', /^usage: kill NAME\n/],
      ['status now', /^usage: status\n/],
      ['kill pod-2', /^pod-2 is none of redis-1, pod-1, haproxy\n/],
      ['start pod-1', /^pod-1 is running already\n/],
      ['thaw haproxy', /^haproxy goes on\n/],
      ['kill haproxy', /^haproxy is killed\n/],
      ['stop haproxy', /^haproxy is not running\n/],
      ['failover', /^there is no Sentinel: start the stack with --sentinel\n/],
    ] as const) {
      stack.type(line);
      await stack.prints(answer);
    }
    stack.endInput();
    expect(await stack.ended()).toBe(0);
    expect(alive(pids)).toEqual([]);
  },
);

test.each([['--pods', '0'], ['--pods', 'many'], ['--bogus'], ['3']])(
  'wrong arguments: %s %s',
  async (...args) => {
    const stack = startCommandLine(...args);
    await stack.prints(/^Usage: npm run stack -- [^\n]+\.\n$/);
    expect(await stack.ended()).toBe(1);
  },
);
