import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, open, refused } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import * as profanity from '../../examples/hooks/profanity.ts';
import type { HooksModule } from '../../src/hooks/types.ts';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('../../examples/hooks/profanity.ts', import.meta.url));

profanity satisfies HooksModule;

let pod: Pod;

beforeAll(async () => {
  pod = await startPod({ HOOKS_MODULE: MODULE });
});

afterAll(() => pod.stop());

async function said(client: Client, data: object): Promise<unknown> {
  client.send({ type: 'chat', data });
  return (await client.next({ type: 'chat' }))['data'];
}

test('masks words and marks the message, whatever the publisher put into the mark', async () => {
  const alice = await open(pod, '/ws/mild?user_id=alice');
  const data = { text: 'Heck, what a darn day', mood: 'bad', moderation: 'none of your business' };
  expect(await said(alice, data)).toEqual({
    text: '****, what a **** day',
    mood: 'bad',
    moderation: { masked: true },
  });
  expect(await said(alice, { text: 'Nice day' })).toEqual({
    text: 'Nice day',
    moderation: { masked: false },
  });
  expect(await said(alice, { picture: 'darn.png' })).toEqual({ picture: 'darn.png' });
});

test('suppresses spam: no client receives it, and the publisher gets an ack without an id', async () => {
  const bob = await open(pod, '/ws/spam?user_id=bob');
  bob.send({ type: 'chat', data: { text: 'Buy followers now' }, ref: 'spam' });
  expect(await bob.next({ type: 'ack', ref: 'spam' })).not.toHaveProperty('id');
  await said(bob, { text: 'hi' });
  expect(bob.all({ type: 'chat' })).toHaveLength(1);
});

test('rejects the fourth message that it has to mask, and counts from zero for a new connection', async () => {
  const carol = await open(pod, '/ws/four?user_id=carol');
  for (const n of [1, 2, 3]) await said(carol, { text: `darn ${n}` });
  carol.send({ type: 'chat', data: { text: 'darn 4' }, ref: 'fourth' });
  const error = await carol.next({ type: 'error', ref: 'fourth' });
  expect(error['data']).toEqual({ code: 'forbidden', error: 'mind your language' });
  await said(carol, { text: 'sorry' });
  await carol.close();
  await said(await open(pod, '/ws/four?user_id=carol'), { text: 'darn' });
});

test('refuses a banned user before the handshake', async () => {
  const { status, body } = await refused(pod, '/ws/mild?user_id=mallory');
  expect([status, body]).toEqual([403, { error: 'you are banned from this chat', code: 'forbidden' }]);
});
