import { afterAll, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Frame, open, part } from '../support/client.ts';
import { fresh, guest, join, member, namedListener, settled, settledChannel } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

test('A join that wants no members gets no list, the number, and whoever comes and goes from then on', async () => {
  const room = fresh();
  await member(pod, room, 'alice');
  const bob = await guest(pod, 'bob');
  const joined = part(await join(bob, room, { members: false }), 'data');
  expect(joined).toMatchObject({ count: 2 });
  expect(joined).not.toHaveProperty('members');
  const carol = await member(pod, room, 'carol');
  await bob.next({ type: 'presence', from: 'carol', data: { status: 'online' } });
  await carol.close(1000);
  await bob.next({ type: 'presence', from: 'carol', data: { status: 'offline' } });
  // Nobody is told of itself.
  expect(bob.all({ type: 'presence', from: 'bob' })).toEqual([]);
});

test('It may be asked for, by true or by joining again', async () => {
  const room = fresh();
  const bob = await guest(pod, 'bob');
  await join(bob, room, { members: false });
  for (const more of [{}, { members: true }]) {
    const { members } = part(await join(bob, room, more), 'data') as { members: Frame[] };
    expect(members.map(({ user_id: user }) => user)).toEqual(['bob']);
  }
});

test('A subscription that wants none hears of presence without a presence_sync', async () => {
  const channel = fresh();
  await member(pod, channel, 'alice');
  const zoe = await open(pod, '/ws?user_id=zoe&dialect=channel');
  zoe.send({ type: 'subscribe', channel, listen: ['presence'], members: false, ref: '1' });
  expect(await zoe.next({ type: 'subscribed' })).toMatchObject({ count: 1 });
  await member(pod, channel, 'bob');
  await zoe.next({ type: 'presence_join', user_id: 'bob' });
  expect(zoe.all({ type: 'presence_sync' })).toEqual([]);
  const named = await namedListener(pod, channel, 'named', ['presence']);
  await named.next({ type: 'presence_sync', channel });
});

test('Whoever says how it is reaches those without a list as well', async () => {
  const room = fresh();
  const bob = await guest(pod, 'bob');
  await join(bob, room, { members: false });
  const alice = await member(pod, room, 'alice');
  alice.send({ type: 'presence', room, data: { status: 'away' } });
  await bob.next({ type: 'presence', from: 'alice', data: { status: 'away' } });
  await Promise.all([settled(bob), settledChannel(await open(pod, '/ws?user_id=x&dialect=channel'))]);
  expect(bob.all({ event: 'members' })).toEqual([]);
});
