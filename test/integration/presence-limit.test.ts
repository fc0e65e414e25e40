import { afterAll, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Frame, part } from '../support/client.ts';
import {
  fresh,
  guest,
  join,
  member,
  namedListener,
  oldListener,
  published,
  settledChannel,
} from './people.ts';

const pod = await startPod({ PRESENCE_EVENTS_LIMIT: '2' });
afterAll(() => pod.stop());

test('In a room up to PRESENCE_EVENTS_LIMIT members single joins are announced and lists are whole', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const joined = part(await join(await guest(pod, 'bob'), room), 'data') as { members: Frame[] };
  expect(joined).toMatchObject({ count: 2 });
  expect(joined.members.map(({ user_id: user }) => String(user)).toSorted()).toEqual(['alice', 'bob']);
  await alice.next({ type: 'presence', from: 'bob' });
});

test('Above it lists are cut, joined has the whole count, and the number is announced, not the names', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const others = ['bob', 'carol', 'dora', 'emil'];
  for (const user of others) await member(pod, room, user);
  const joined = part(await join(await guest(pod, 'frida'), room), 'data') as { members: Frame[] };
  expect(joined).toMatchObject({ count: 6 });
  expect(joined.members).toHaveLength(2);
  const event = await alice.next({ event: 'members', data: { count: 6 } });
  expect(event).toMatchObject({ type: 'system', event: 'members', room });
  expect(alice.all({ type: 'presence' }).map(({ from }) => from)).toEqual(['bob']);
});

test('Above it single leaves are not announced, only the number', async () => {
  const room = fresh();
  const alice = await member(pod, room, 'alice');
  const people = [];
  for (const user of ['bob', 'carol', 'dora', 'emil']) people.push(await member(pod, room, user));
  await alice.next({ event: 'members', data: { count: 5 } });
  await people.at(-1)?.close(1000);
  await alice.next({ event: 'members', data: { count: 4 } });
  const statuses = alice.all({ type: 'presence' }).map((frame) => part(frame, 'data')['status']);
  expect(statuses).toEqual(['online']);
});

test('Above it presence_sync is cut; an old client hears nothing of it, a named one the number', async () => {
  const channel = fresh();
  const early = await oldListener(pod, channel, 'early', ['presence']);
  for (const user of ['alice', 'bob', 'carol', 'dora']) await member(pod, channel, user);
  const old = await oldListener(pod, channel, 'old', ['presence']);
  const named = await namedListener(pod, channel, 'named', ['presence']);
  for (const one of [old, named]) {
    const { users } = (await one.next({ type: 'presence_sync', channel })) as { users?: unknown[] };
    expect(users).toHaveLength(2);
  }
  await member(pod, channel, 'emil');
  await named.next({ type: 'members', channel, count: 5 });
  await settledChannel(old);
  expect(old.all({ channel }).map(({ type }) => type)).toEqual(['presence_sync']);
  await settledChannel(early);
  const announced = early.all({ type: 'presence_join' }).map(({ user_id: user }) => user);
  expect(announced).toEqual(['alice', 'bob']);
});

test('Messages reach everybody in a large room as in any other', async () => {
  const room = fresh();
  const people = [];
  for (const user of ['alice', 'bob', 'carol', 'dora']) people.push(await member(pod, room, user));
  const [alice, ...others] = people;
  if (alice !== undefined) await published(alice, { room, data: 'to all' });
  for (const one of others) await one.next({ data: 'to all' });
});
