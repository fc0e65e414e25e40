import { expect, test } from 'vitest';
import { aWorld, present } from './world.ts';
import type { Client, Frame } from '../support/client.ts';
import {
  fresh,
  guest,
  member,
  namedListener,
  oldListener,
  published,
  settledChannel,
} from '../integration/people.ts';

const here = aWorld({ pods: 3, env: { PRESENCE_GRACE_SECONDS: '3600' } });

/** An old client on each pod that listens to presence. */
async function listeners(channel: string): Promise<Client[]> {
  const all: Client[] = [];
  for (const pod of here.pods) all.push(await oldListener(pod, channel, fresh('old'), ['presence']));
  return all;
}

async function say(client: Client, type: string, channel: string, payload: Frame = {}): Promise<void> {
  await published(client, { type, channel, payload });
}

/** What was told of a user on a pod. */
function heard(listener: Client, user: string): unknown[] {
  return listener.all({ user_id: user }).map(({ type, meta }) => [type, meta]);
}

test('A user of the channel dialect is announced once on each pod as it joins, updates and leaves', async () => {
  const channel = fresh();
  const all = await listeners(channel);
  const bob = await namedListener(here.b, fresh(), 'bob', []);
  await say(bob, 'presence_join', channel, { name: 'Bob' });
  await say(bob, 'presence_update', channel, { name: 'Bob', mood: 'lunch' });
  await say(bob, 'presence_leave', channel);
  for (const one of all) {
    const frames = [];
    for (const type of ['presence_join', 'presence_update', 'presence_leave']) {
      frames.push(await one.next({ type, channel, user_id: 'bob' }));
    }
    for (const frame of frames)
      expect(Object.keys(frame).toSorted()).toEqual([
        'channel',
        'meta',
        'ts',
        'type',
        'updated_at',
        'user_id',
      ]);
  }
  // Whoever comes last is announced on each pod: everything before has arrived then.
  for (const pod of here.pods) {
    const marker = fresh('marker');
    await say(await namedListener(pod, fresh(), marker, []), 'presence_join', channel);
    for (const one of all) await one.next({ type: 'presence_join', user_id: marker });
  }
  for (const one of all) {
    expect(heard(one, 'bob')).toEqual([
      ['presence_join', { name: 'Bob' }],
      ['presence_update', { name: 'Bob', mood: 'lunch' }],
      ['presence_leave', expect.anything()],
    ]);
  }
});

test('presence_sync has the users of all pods and both dialects, and none who only subscribed', async () => {
  const channel = fresh();
  const bob = await namedListener(here.a, channel, 'bob', ['presence']);
  await say(bob, 'presence_join', channel, { name: 'Bob' });
  await member(here.b, channel, 'carol');
  for (const pod of here.pods) {
    const old = await oldListener(pod, channel, fresh('old'), ['presence']);
    const { users } = (await old.next({ type: 'presence_sync', channel })) as { users?: Frame[] };
    const rows = users?.toSorted((x, y) => String(x['user_id']).localeCompare(String(y['user_id'])));
    expect(rows).toEqual([
      { user_id: 'bob', meta: { name: 'Bob' }, updated_at: expect.any(Number) },
      { user_id: 'carol', meta: {}, updated_at: expect.any(Number) },
    ]);
    expect(Object.keys(await present(pod, channel))).toEqual(['bob', 'carol']);
  }
});

test('A user present in both dialects on two pods is one member and leaves with the last', async () => {
  const room = fresh();
  const [watcher, old] = [
    await member(here.c, room, 'watcher'),
    await oldListener(here.c, room, 'old', ['presence']),
  ];
  const chat = await member(here.a, room, 'bob');
  const channel = await namedListener(here.b, room, 'bob', []);
  await say(channel, 'presence_join', room, { name: 'Bob' });
  expect(await present(here.c, room)).toMatchObject({ bob: { meta: { name: 'Bob' } }, watcher: {} });
  await chat.close(1000);
  await say(channel, 'presence_leave', room);
  await watcher.next({ type: 'presence', from: 'bob', data: { status: 'offline' } });
  await old.next({ type: 'presence_leave', user_id: 'bob' });
  await settledChannel(old);
  const types = old.all({ user_id: 'bob' }).map(({ type }) => type);
  expect(types[0]).toBe('presence_join');
  expect(types.filter((type) => type !== 'presence_update')).toEqual(['presence_join', 'presence_leave']);
});

test('What members of one dialect say of themselves crosses pods into the other', async () => {
  const room = fresh();
  const old = await oldListener(here.b, room, 'old', ['presence']);
  const watcher = await member(here.b, room, 'watcher');
  const alice = await guest(here.a, 'alice');
  alice.send({ type: 'join', room });
  await old.next({ type: 'presence_join', channel: room, user_id: 'alice', meta: {} });
  await published(alice, { type: 'presence', room, data: { status: 'away', meta: { m: 1 } } });
  await old.next({ type: 'presence_update', channel: room, user_id: 'alice', meta: { m: 1 } });
  const bob = await namedListener(here.a, room, 'bob', []);
  await say(bob, 'presence_join', room, { name: 'Bob' });
  const seen = { user_id: 'bob', status: 'online', meta: { name: 'Bob' } };
  await watcher.next({ type: 'presence', room, from: 'bob', data: seen });
  await bob.close(1000);
  await watcher.next({ type: 'presence', room, from: 'bob', data: { status: 'offline' } });
});
