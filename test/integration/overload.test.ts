import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type Client, open, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { member } from './people.ts';

const HOOKS_MODULE = fileURLToPath(new URL('modules/pressing.ts', import.meta.url));
const SLOW = { timeout: 60_000 };

async function pressedPod(env: Readonly<Record<string, string>> = {}): Promise<Pod> {
  const pod = await startPod({ HOOKS_MODULE, HANDSHAKES_PER_SECOND: '5', ...env });
  onTestFinished(async () => void (await pod.kill()));
  return pod;
}

async function metric({ opsUrl }: Pod, line: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1));
}

test.each([
  ['its event loop is too slow', 'dawdle', 'hurry', 'event_loop', {}],
  ['its memory is nearly used up', 'fill', 'empty', 'memory', { NODE_OPTIONS: '--max-old-space-size=384' }],
])('A pod takes nobody new while %s, and serves those it has', SLOW, async (_, press, release, of, env) => {
  const pod = await pressedPod(env);
  const alice = await member(pod, 'room', 'alice');
  const bob = await member(pod, 'room', 'bob');
  const overloaded = async (): Promise<boolean> =>
    (await metric(pod, `realtime_overloaded{of="${of}"}`)) === 1;
  expect(await overloaded()).toBe(false);
  alice.send({ data: { do: press } });
  await until('the pod to be overloaded', overloaded);
  const refusal = await refused(pod, '/ws');
  expect(refusal).toMatchObject({
    status: 503,
    body: { error: 'the pod is overloaded', code: 'overloaded' },
  });
  expect(refusal.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  const explained = await fetch(`${pod.url}/ws?explain=1`);
  expect([explained.status, await explained.json()]).toEqual([503, refusal.body]);
  expect(await metric(pod, 'realtime_upgrades_refused{reason="overloaded"}')).toBe(1);
  // Other pods would only get its share on top of theirs.
  expect((await fetch(`${pod.opsUrl}/readyz`)).status).toBe(200);
  expect(await echoed(bob, alice)).toBe(true);
  alice.send({ data: { do: release } });
  await until('the pod to have room again', async () => !(await overloaded()));
  await open(pod, '/ws');
});

async function echoed(from: Client, to: Client): Promise<boolean> {
  from.send({ data: 'still there' });
  await to.next({ data: 'still there' });
  return true;
}
