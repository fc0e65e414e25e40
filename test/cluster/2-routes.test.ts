import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { subscribe } from '../integration/people.ts';
import { Client } from '../support/client.ts';
import { kubectl, WS_URL } from './cluster.ts';
import { atRest } from './release.ts';
import { saw, secondsSince } from './report.ts';
import { aPod, cookies } from './sticky.ts';

/** A WebSocket through the ingress to the pod that the cookie stands for. */
async function at(cookie: string, path: string): Promise<Client> {
  const ws = new WebSocket(`${WS_URL}${path}`, { headers: { cookie } });
  onTestFinished(() => ws.terminate());
  const client = new Client(ws);
  await new Promise((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  return client;
}

async function joined(cookie: string, user: string, room: string): Promise<Client> {
  const client = await at(cookie, `/ws/${room}?user_id=${user}`);
  await client.next({ event: 'joined', room });
  return client;
}

test('two clients on different pods hear each other, in both dialects', async () => {
  const [one = '', other = ''] = [...(await cookies()).values()];
  expect(one).not.toBe(other);
  const ann = await joined(one, 'ann', 'both');
  const bob = await joined(other, 'bob', 'both');
  const old = await at(other, '/ws?dialect=channel&user_id=old');
  await subscribe(old, 'both', ['broadcast']);
  ann.send({ type: 'chat', room: 'both', data: 'from ann' });
  bob.send({ type: 'chat', room: 'both', data: 'from bob' });
  for (const client of [ann, bob]) {
    await client.next({ type: 'chat', data: 'from ann' });
    await client.next({ type: 'chat', data: 'from bob' });
  }
  await old.next({ type: 'broadcast', channel: 'both', payload: 'from ann' });
  old.send({ type: 'broadcast', channel: 'both', event: 'message', payload: 'from old' });
  await ann.next({ data: 'from old' });
});

test('the cookie brings a client back to its pod, and to another when that one goes', async () => {
  await atRest();
  const [first] = await cookies();
  if (first === undefined) throw new Error('no pod has a cookie');
  const [pod, cookie] = first;
  for (let n = 0; n < 10; n += 1) expect((await aPod(cookie)).pod).toBe(pod);
  const start = performance.now();
  await kubectl('delete', `pod/${pod}`, '--wait=false');
  let moved: string | undefined;
  let attempts = 0;
  // Until long after the pod is gone, nobody who has its cookie may be refused.
  while (performance.now() - start < 40_000) {
    const client = await at(cookie, '/ws?user_id=kept');
    client.ws.terminate();
    attempts += 1;
    const now = (await aPod(cookie)).pod;
    if (now !== pod) moved ??= secondsSince(start);
    expect(moved === undefined || now !== pod, 'back at a pod that is to end').toBe(true);
  }
  expect(moved).toBeDefined();
  saw(
    'a cookie leads elsewhere after its pod is deleted',
    `${moved}; ${attempts} of ${attempts} handshakes taken`,
  );
  await atRest();
});
