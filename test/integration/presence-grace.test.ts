import { afterAll, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Frame, part } from '../support/client.ts';
import { connections, fresh, guest, join, member, oldListener, published } from './people.ts';

const pod = await startPod({ PRESENCE_GRACE_SECONDS: '1' });
/** For who must be back in time, however busy the machine is. */
const patient = await startPod({ PRESENCE_GRACE_SECONDS: '4' });
afterAll(() => Promise.all([pod.stop(), patient.stop()]));

const offline = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'offline' } });

test('A member whose line broke is announced as offline after the grace, and then no longer listed', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const bob = await member(pod, room, 'bob');
  await bob.terminate();
  await connections(pod, 1);
  await alice.next(offline('bob'));
  const after = part(await join(await guest(pod, 'dora'), room), 'data') as { members: Frame[] };
  expect(after.members.map(({ user_id: user }) => user)).not.toContain('bob');
});

test('A member that returns within the grace is announced to nobody, also when the grace is over', async () => {
  const room = fresh();
  const alice = await member(patient, room, 'alice');
  const listener = await oldListener(patient, room, 'zoe', ['presence']);
  const [bob, marker] = [await member(patient, room, 'bob'), await member(patient, room, 'marker')];
  await bob.terminate();
  await connections(patient, 3);
  const back = await member(patient, room, 'bob');
  // The marker is lost later than bob was: when its grace is over, bob's would have been.
  await marker.terminate();
  await alice.next(offline('marker'));
  await listener.next({ type: 'presence_leave', user_id: 'marker' });
  const told = alice.all({ type: 'presence', from: 'bob' }).map((frame) => part(frame, 'data')['status']);
  expect(told).toEqual(['online']);
  expect(listener.all({ user_id: 'bob' }).map(({ type }) => type)).toEqual(['presence_join']);
  await published(back, { room, data: 'still here' });
  await alice.next({ data: 'still here' });
});

test('A user with two connections, both lost, is announced as offline once', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const bobs = [await member(pod, room, 'bob'), await member(pod, room, 'bob')];
  const marker = await member(pod, room, 'marker');
  for (const one of bobs) await one.terminate();
  await connections(pod, 2);
  await marker.terminate();
  await alice.next(offline('marker'));
  expect(alice.all(offline('bob'))).toHaveLength(1);
});

test('A presence of the channel dialect has the same grace', async () => {
  const channel = fresh();
  const listener = await oldListener(pod, channel, 'zoe', ['presence']);
  const bob = await oldListener(pod, channel, 'bob', []);
  bob.send({ type: 'presence_join', channel, payload: {} });
  await listener.next({ type: 'presence_join', user_id: 'bob' });
  await bob.terminate();
  await connections(pod, 1);
  await listener.next({ type: 'presence_leave', user_id: 'bob' });
  const late = await oldListener(pod, channel, 'late', ['presence']);
  expect(await late.next({ type: 'presence_sync' })).toMatchObject({ users: [] });
  expect(listener.all({ user_id: 'bob', type: 'presence_leave' })).toHaveLength(1);
});
