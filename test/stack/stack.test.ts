import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack/stack.ts';
import { open } from '../support/client.ts';

/** For `expect.poll`: as long as a loaded machine may need. */
const PATIENT = { timeout: 20_000 };

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ pods: 2 });
});
afterAll(() => stack.stop());

/** Connections of each pod, in the order of the pods. */
function connections(): Promise<number[]> {
  return Promise.all(
    stack.pods.map(async ({ url }) => {
      const { connections } = (await (await fetch(`${url}/ws/stats`)).json()) as { connections: number };
      return connections;
    }),
  );
}

function throughHaproxy(cookie?: string): ReturnType<typeof open> {
  if (stack.haproxy === undefined) throw new Error('no HAProxy');
  return open(stack.haproxy, '/ws/lobby', cookie === undefined ? {} : { headers: { cookie } });
}

/** Asks HAProxy once, as a browser that has no cookie yet. */
async function getCookie(): Promise<string> {
  const answer = await fetch(`${stack.haproxy?.url}/ws/stats`);
  const [cookie = ''] = answer.headers.getSetCookie();
  expect(cookie).toMatch(/^CROSSPOD=\w+; path=\/; HttpOnly$/);
  return cookie.split(';')[0] ?? '';
}

test('clients are spread over the pods', async () => {
  const clients = [await throughHaproxy(), await throughHaproxy()];
  await expect.poll(connections, PATIENT).toEqual([1, 1]);
  for (const client of clients) await client.close(1000);
  await expect.poll(connections, PATIENT).toEqual([0, 0]);
});

test('the cookie keeps a client on its pod, until that is gone', async () => {
  const cookie = await getCookie();
  for (let n = 0; n < 3; n += 1) await throughHaproxy(cookie);
  const counts = await connections();
  expect(counts.toSorted((a, b) => a - b)).toEqual([0, 3]);

  const pod = stack.pods[counts.indexOf(3)];
  await pod?.kill();
  await throughHaproxy(cookie);
  await pod?.start();
  await expect.poll(connections, PATIENT).toEqual(counts.map((count) => (count === 3 ? 0 : 1)));
});

test('parts are found by name', () => {
  expect([...stack.parts.keys()].sort()).toEqual(['haproxy', 'pod-1', 'pod-2', 'redis-1']);
  expect(stack.parts.get('redis-1')).toBe(stack.redis[0]);
});
