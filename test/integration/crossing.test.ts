import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, type Frame, part } from '../support/client.ts';
import {
  fresh,
  guest,
  member,
  namedListener,
  oldListener,
  published,
  settled,
  settledChannel,
  subscribe,
} from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

const BOTH = ['broadcast', 'presence'];

/** Listeners of the channel dialect, an old one and one that named it. */
async function listeners(channel: string, listen = BOTH): Promise<Client[]> {
  return [
    await oldListener(pod, channel, fresh('old'), listen),
    await namedListener(pod, channel, fresh('named'), listen),
  ];
}

describe('A message of the message dialect reaches listeners of the channel dialect', () => {
  test.each<[string, Frame, Frame]>([
    ['a chat as the event chat', { type: 'chat', data: { a: 1 } }, { event: 'chat', payload: { a: 1 } }],
    ['a chat with an event as that', { event: 'typed', data: [1] }, { event: 'typed', payload: [1] }],
    ['a notification as the event notification', { type: 'notification' }, { event: 'notification' }],
    ['a notification with an event as that', { type: 'notification', event: 'x' }, { event: 'x' }],
    ['an ephemeral one as any other', { data: 1, ephemeral: true }, { event: 'chat', payload: 1 }],
  ])('%s', async (_, said, heard) => {
    const room = fresh();
    const both = await listeners(room);
    const alice = await member(pod, room, 'alice');
    const before = Date.now();
    alice.send({ room, ...said });
    for (const one of both) {
      const frame = await one.next({ type: 'broadcast' });
      expect(frame).toMatchObject({
        type: 'broadcast',
        channel: room,
        user_id: 'alice',
        payload: null,
        ...heard,
      });
      expect(Number(frame['ts'])).toBeGreaterThanOrEqual(before);
      expect(Number(frame['ts'])).toBeLessThanOrEqual(Date.now());
    }
  });

  test('with exactly the fields of the seed where the client is an old one', async () => {
    const room = fresh();
    const old = await oldListener(pod, room, 'old', BOTH);
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'chat', room, data: { a: 1 } });
    const { timestamp } = await alice.next({ type: 'chat' });
    expect(await old.next({ type: 'broadcast' })).toEqual({
      type: 'broadcast',
      channel: room,
      event: 'chat',
      payload: { a: 1 },
      user_id: 'alice',
      ts: Date.parse(String(timestamp)),
    });
  });
});

describe('A broadcast of the channel dialect reaches members of the message dialect', () => {
  test.each<[string, Frame, Frame]>([
    ['as a chat with its event', { event: 'user-message', payload: { t: 1 } }, { data: { t: 1 } }],
    ['with the event message where it has none', { payload: 1 }, { event: 'message', data: 1 }],
    ['with null where it has no payload', { event: 'empty' }, { event: 'empty', data: null }],
  ])('%s', async (_, said, heard) => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await oldListener(pod, room, 'bob', []);
    bob.send({ type: 'broadcast', channel: room, ...said });
    const frame = await alice.next({ type: 'chat' });
    const event = said['event'] === undefined ? {} : { event: said['event'] };
    expect(frame).toMatchObject({ type: 'chat', room, from: 'bob', ...event, ...heard });
    expect(frame['id']).toMatch(/./);
    expect(frame['timestamp']).toMatch(/^\d{4}-.*Z$/);
  });

  test('and is in the history that both read', async () => {
    const room = fresh();
    const bob = await namedListener(pod, room, 'bob', []);
    const id = await published(bob, { type: 'broadcast', channel: room, event: 'e', payload: 1 });
    const late = await guest(pod);
    late.send({ type: 'join', room, history: 5 });
    await late.next({ type: 'chat', id, event: 'e', data: 1 });
  });

  test('and both dialects hear one order', async () => {
    const room = fresh();
    const [alice, listener] = [
      await member(pod, room, 'alice'),
      await oldListener(pod, room, 'bob', ['broadcast']),
    ];
    for (let n = 0; n < 50; n += 1) {
      alice.send({ room, data: `a${n}` });
      listener.send({ type: 'broadcast', channel: room, payload: `b${n}` });
    }
    await alice.next(() => alice.all({ type: 'chat' }).length === 100);
    await listener.next(() => listener.all({ channel: room }).length === 100);
    const heard = listener.all({ channel: room }).map(({ payload }) => payload);
    expect(alice.all({ type: 'chat' }).map(({ data }) => data)).toEqual(heard);
  });
});

describe('Presence crosses the dialects:', () => {
  test('a join is presence_join, away is presence_update, a leave is presence_leave', async () => {
    const room = fresh();
    const both = await listeners(room, ['presence']);
    const alice = await member(pod, room, 'alice');
    for (const one of both) {
      await one.next({ type: 'presence_join', channel: room, user_id: 'alice', meta: {} });
    }
    alice.send({ type: 'presence', room, data: { status: 'away', meta: { m: 1 } } });
    for (const one of both) {
      await one.next({ type: 'presence_update', channel: room, user_id: 'alice', meta: { m: 1 } });
    }
    alice.send({ type: 'leave', room });
    for (const one of both) await one.next({ type: 'presence_leave', channel: room, user_id: 'alice' });
  });

  test('offline is presence_leave', async () => {
    const room = fresh();
    const both = await listeners(room, ['presence']);
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'presence', room, data: { status: 'offline' } });
    for (const one of both) await one.next({ type: 'presence_leave', user_id: 'alice' });
  });

  test('members of the message dialect are in presence_sync', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'presence', room, data: { status: 'away', meta: { m: 1 } } });
    await settled(alice);
    for (const one of await listeners(room)) {
      const { users } = (await one.next({ type: 'presence_sync', channel: room })) as { users?: unknown };
      expect(users).toEqual([{ user_id: 'alice', meta: { m: 1 }, updated_at: expect.any(Number) }]);
    }
  });

  test('presence_join is online, presence_update stays online with its meta, presence_leave is offline', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await oldListener(pod, room, 'bob', []);
    const told = { type: 'presence', room, from: 'bob' };
    bob.send({ type: 'presence_join', channel: room, payload: { v: 1 } });
    await alice.next({ ...told, data: { user_id: 'bob', status: 'online', meta: { v: 1 } } });
    bob.send({ type: 'presence_update', channel: room, payload: { v: 2 } });
    await alice.next({ ...told, data: { user_id: 'bob', status: 'online', meta: { v: 2 } } });
    const late = await member(pod, room, 'late');
    const { members } = part(late.all({ event: 'joined' })[0] ?? {}, 'data') as { members: Frame[] };
    expect(members).toContainEqual({
      user_id: 'bob',
      status: 'online',
      meta: { v: 2 },
      updated_at: expect.any(Number),
    });
    bob.send({ type: 'presence_leave', channel: room });
    await alice.next({ ...told, data: { user_id: 'bob', status: 'offline' } });
  });

  test('who only subscribes is no member', async () => {
    const room = fresh();
    await listeners(room);
    const alice = await member(pod, room, 'alice');
    expect(alice.all({ event: 'joined' })).toMatchObject([{ data: { count: 1 } }]);
  });

  test('a user in both dialects is one member', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const bobsOther = await oldListener(pod, room, 'bob', []);
    bobsOther.send({ type: 'presence_join', channel: room, payload: { v: 1 } });
    await alice.next({ type: 'presence', from: 'bob', data: { meta: { v: 1 } } });
    await bob.close(1000);
    await published(alice, { room, data: 'marker' });
    await settledChannel(bobsOther);
    const late = await member(pod, room, 'late');
    expect(late.all({ event: 'joined' })).toMatchObject([{ data: { count: 3 } }]);
    expect(alice.all({ type: 'presence', from: 'bob', data: { status: 'offline' } })).toEqual([]);
    await bobsOther.close(1000);
    await alice.next({ type: 'presence', from: 'bob', data: { status: 'offline' } });
  });
});

describe('The channel @global', () => {
  test('brings global broadcasts to those who subscribed it', async () => {
    const both = await listeners('@global');
    const alice = await guest(pod, 'alice');
    alice.send({ type: 'chat', event: 'news', data: { a: 1 } });
    for (const one of both) {
      expect(await one.next({ channel: '@global', event: 'news' })).toMatchObject({
        type: 'broadcast',
        payload: { a: 1 },
        user_id: 'alice',
        ts: expect.any(Number),
      });
    }
  });

  test('brings nothing to those who did not, or who listen to presence only', async () => {
    const without = await listeners(fresh());
    const presenceOnly = await listeners('@global', ['presence']);
    await published(await guest(pod), { event: 'unheard', data: 1 });
    for (const one of [...without, ...presenceOnly]) {
      await settledChannel(one);
      expect(one.all({ event: 'unheard' })).toEqual([]);
    }
  });

  test('is heard no longer after another subscribe or an unsubscribe', async () => {
    const [one, two] = await listeners('@global');
    if (one === undefined || two === undefined) throw new Error('two listeners are needed');
    await subscribe(one, '@global', []);
    two.send({ type: 'unsubscribe', channel: '@global' });
    await settledChannel(two);
    await published(await guest(pod), { event: 'afterwards', data: 1 });
    for (const client of [one, two]) {
      await settledChannel(client);
      expect(client.all({ event: 'afterwards' })).toEqual([]);
    }
  });

  test('carries no direct messages', async () => {
    const user = fresh('zoe');
    const zoe = await oldListener(pod, '@global', user, ['broadcast']);
    await published(await guest(pod), { to: user, event: 'private', data: 1 });
    await settledChannel(zoe);
    expect(zoe.all({ event: 'private' })).toEqual([]);
  });
});

describe('The channel @direct', () => {
  test('brings direct messages for the user to each connection that subscribed it', async () => {
    const user = fresh('zoe');
    const old = await oldListener(pod, '@direct', user, ['broadcast']);
    const named = await namedListener(pod, '@direct', user, ['broadcast']);
    const without = await oldListener(pod, fresh(), user, ['broadcast']);
    const alice = await guest(pod, 'alice');
    await published(alice, { to: user, event: 'private', data: 'psst' });
    for (const one of [old, named]) {
      await one.next({
        type: 'broadcast',
        channel: '@direct',
        event: 'private',
        payload: 'psst',
        user_id: 'alice',
      });
    }
    await settledChannel(without);
    expect(without.all({ event: 'private' })).toEqual([]);
  });

  test('brings nobody those of others', async () => {
    const other = await oldListener(pod, '@direct', fresh('zoe'), ['broadcast']);
    await published(await guest(pod), { to: fresh('bob'), event: 'private', data: 1 });
    await settledChannel(other);
    expect(other.all({ event: 'private' })).toEqual([]);
  });
});
