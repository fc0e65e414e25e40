import { expect } from 'vitest';
import type { Pod } from '../support/pod.ts';
import { until } from '../support/client.ts';

/** What the pod's process holds, in bytes. */
export async function residentBytes(pod: Pod): Promise<number> {
  const answer = await fetch(`${pod.opsUrl}/metrics`);
  const [, bytes] = /^process_resident_memory_bytes (\S+)/m.exec(await answer.text()) ?? [];
  if (bytes === undefined) throw new Error('/metrics does not tell process_resident_memory_bytes');
  return Number(bytes);
}

export const MIB = 2 ** 20;

/** Waits until the pod has exactly so many connections. */
export async function onlyConnections(pod: Pod, expected: number): Promise<void> {
  let last: unknown;
  await until(`${expected} connections`, async () => {
    const answer = await fetch(`${pod.url}/ws/stats`);
    last = ((await answer.json()) as { connections?: unknown }).connections;
    return last === expected;
  }).catch((error: unknown) => {
    throw new Error(`the pod still has ${String(last)} connections, not ${expected}`, { cause: error });
  });
}

/** The process lives, and nothing in its output speaks of a fault of its own. */
export async function expectUnharmed(pod: Pod): Promise<void> {
  const alive = await fetch(`${pod.opsUrl}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );
  expectNoFaultIn(pod.output());
  expect(alive, `the pod does not answer; its last words:\n${pod.output().slice(-2_000)}`).toBe(true);
}

export function expectNoFaultIn(output: string): void {
  const faults = new Set(
    output
      .split('\n')
      .filter((line) =>
        /unhandled|uncaught|"level":(50|60)|^\s+at .+:\d+:\d+|\\n\s+at |^\(node:\d+\)/i.test(line),
      )
      .map((line) => line.replace(/"time":"[^"]*",?/, '').slice(0, 400)),
  );
  expect([...faults].slice(0, 10)).toEqual([]);
}
