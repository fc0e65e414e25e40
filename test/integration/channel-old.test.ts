import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, open } from '../support/client.ts';
import { fresh, guest, member, oldListener, published, settledChannel, subscribe } from './people.ts';

const pod = await startPod({ PRESENCE_GRACE_SECONDS: '3600' });
afterAll(() => pod.stop());

const SEED_TYPES = new Set([
  'broadcast',
  'presence_join',
  'presence_update',
  'presence_leave',
  'presence_sync',
]);
const FIELDS = {
  broadcast: ['channel', 'event', 'payload', 'ts', 'type', 'user_id'],
  presence_join: ['channel', 'meta', 'ts', 'type', 'updated_at', 'user_id'],
  presence_update: ['channel', 'meta', 'ts', 'type', 'updated_at', 'user_id'],
  presence_leave: ['channel', 'meta', 'ts', 'type', 'updated_at', 'user_id'],
  presence_sync: ['channel', 'type', 'users'],
} as const satisfies Record<string, readonly string[]>;

/** An old client was told nothing but what the seed tells, to the letter. */
function expectSeedOnly({ frames }: Client): void {
  for (const frame of frames) {
    expect(SEED_TYPES).toContain(frame['type']);
    expect(Object.keys(frame).toSorted()).toEqual(FIELDS[frame['type'] as keyof typeof FIELDS]);
  }
}

/** What was said to a client about a channel, without its own markers. */
function types(client: Client, channel: string): unknown[] {
  return client.all({ channel }).map(({ type }) => type);
}

/** What comes from this on is dated by the test's own clock, which is the server's. */
function milliseconds(since: number): unknown {
  return expect.toSatisfy((at: number) => Number.isInteger(at) && at >= since && at <= Date.now());
}

function seconds(since: number): unknown {
  const earliest = Math.floor(since / 1000);
  return expect.toSatisfy((at: number) => Number.isInteger(at) && at >= earliest && at <= Date.now() / 1000);
}

describe('A broadcast', () => {
  test('reaches all that listen to broadcasts, its sender too, letter by letter', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    const alice = await oldListener(pod, channel, 'alice', ['broadcast', 'presence']);
    const before = Date.now();
    bob.send({ type: 'broadcast', channel, event: 'user-message', payload: { text: 'hi' } });
    for (const one of [alice, bob]) {
      expect(await one.next({ type: 'broadcast', channel })).toEqual({
        type: 'broadcast',
        channel,
        event: 'user-message',
        payload: { text: 'hi' },
        user_id: 'bob',
        ts: milliseconds(before),
      });
    }
  });

  test('without event has the event message, without payload the payload null', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    bob.send({ type: 'broadcast', channel });
    await bob.next({ type: 'broadcast', channel, event: 'message', payload: null });
  });

  test('needs no subscription, and then its sender hears nothing', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    const eve = await open(pod, '/ws?user_id=eve');
    eve.send({ type: 'broadcast', channel, event: 'e', payload: 1 });
    await bob.next({ type: 'broadcast', channel, user_id: 'eve' });
    await settledChannel(eve);
    expect(types(eve, channel)).toEqual([]);
  });

  test('does not reach those who listen to presence only or to nothing', async () => {
    const channel = fresh();
    const presence = await oldListener(pod, channel, 'p', ['presence']);
    const nothing = await oldListener(pod, channel, 'n', []);
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    bob.send({ type: 'broadcast', channel, event: 'e', payload: 1 });
    await bob.next({ type: 'broadcast', channel });
    await settledChannel(presence);
    await settledChannel(nothing);
    expect(types(presence, channel)).toEqual(['presence_sync']);
    expect(types(nothing, channel)).toEqual([]);
  });

  test('cannot forge user_id or ts', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    const before = Date.now();
    bob.send({
      type: 'broadcast',
      channel,
      event: 'e',
      payload: 1,
      user_id: 'eve',
      ts: 1,
      from: 'eve',
      id: 'x',
    });
    await bob.next({ type: 'broadcast', channel, user_id: 'bob', ts: (at: number) => at >= before });
    expectSeedOnly(bob);
  });

  test('is not replayed to who subscribes later', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    bob.send({ type: 'broadcast', channel, event: 'e', payload: 1 });
    await bob.next({ type: 'broadcast', channel });
    const late = await oldListener(pod, channel, 'late', ['broadcast']);
    expect(types(late, channel)).toEqual([]);
  });
});

describe('A subscribe', () => {
  test('is not answered', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    expect(types(bob, channel)).toEqual([]);
    expectSeedOnly(bob);
  });

  test('replaces what was listened to before', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    const alice = await oldListener(pod, channel, 'alice', ['broadcast']);
    const act = async (): Promise<void> => {
      alice.send({ type: 'broadcast', channel, event: 'e', payload: 1 });
      alice.send({ type: 'presence_update', channel, payload: {} });
      await settledChannel(alice);
      await settledChannel(bob);
    };
    alice.send({ type: 'presence_join', channel, payload: {} });
    await act();
    expect(types(bob, channel)).toEqual(['broadcast']);
    await subscribe(bob, channel, ['presence']);
    await act();
    expect(types(bob, channel)).toEqual(['broadcast', 'presence_sync', 'presence_update']);
    await subscribe(bob, channel, ['broadcast', 'presence']);
    await act();
    expect(types(bob, channel).slice(3)).toEqual(['presence_sync', 'broadcast', 'presence_update']);
    await subscribe(bob, channel, []);
    await act();
    expect(types(bob, channel)).toHaveLength(6);
  });

  test('to several channels hears them all', async () => {
    const [one, two] = [fresh(), fresh()];
    const bob = await oldListener(pod, one, 'bob', ['broadcast']);
    await subscribe(bob, two, ['broadcast']);
    bob.send({ type: 'broadcast', channel: one, payload: 1 });
    bob.send({ type: 'broadcast', channel: two, payload: 2 });
    await bob.next({ channel: one, payload: 1 });
    await bob.next({ channel: two, payload: 2 });
  });

  test('with presence is answered with presence_sync to the subscriber only', async () => {
    const channel = fresh();
    const before = Date.now();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    expect(await alice.next({ type: 'presence_sync' })).toEqual({
      type: 'presence_sync',
      channel,
      users: [],
    });
    alice.send({ type: 'presence_join', channel, payload: { name: 'Alice' } });
    await alice.next({ type: 'presence_join', user_id: 'alice' });
    const bob = await oldListener(pod, channel, 'bob', ['presence']);
    expect(await bob.next({ type: 'presence_sync' })).toEqual({
      type: 'presence_sync',
      channel,
      users: [{ user_id: 'alice', meta: { name: 'Alice' }, updated_at: seconds(before) }],
    });
    await settledChannel(alice);
    expect(alice.all({ type: 'presence_sync' })).toHaveLength(1);
  });

  test('without presence is not', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    bob.send({ type: 'presence_join', channel, payload: {} });
    await settledChannel(bob);
    expect(types(bob, channel)).toEqual([]);
  });
});

describe('Presence', () => {
  test('join, update and leave are told letter by letter', async () => {
    const channel = fresh();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    const bob = await oldListener(pod, channel, 'bob', []);
    const before = Date.now();
    const told = { channel, user_id: 'bob', updated_at: seconds(before), ts: milliseconds(before) };
    bob.send({ type: 'presence_join', channel, payload: { name: 'Bob' } });
    expect(await alice.next({ type: 'presence_join' })).toEqual({
      ...told,
      type: 'presence_join',
      meta: { name: 'Bob' },
    });
    bob.send({ type: 'presence_update', channel, payload: { name: 'Robert', n: [1] } });
    expect(await alice.next({ type: 'presence_update' })).toEqual({
      ...told,
      type: 'presence_update',
      meta: { name: 'Robert', n: [1] },
    });
    bob.send({ type: 'presence_leave', channel });
    expect(await alice.next({ type: 'presence_leave' })).toEqual({
      ...told,
      type: 'presence_leave',
      meta: expect.any(Object),
    });
    const late = await oldListener(pod, channel, 'late', ['presence']);
    expect(await late.next({ type: 'presence_sync' })).toMatchObject({ users: [] });
  });

  test('begins with presence_join, not with subscribe', async () => {
    const channel = fresh();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    const bob = await oldListener(pod, channel, 'bob', ['broadcast', 'presence']);
    expect(await bob.next({ type: 'presence_sync' })).toMatchObject({ users: [] });
    await settledChannel(alice);
    expect(types(alice, channel)).toEqual(['presence_sync']);
  });

  test('needs no subscription', async () => {
    const channel = fresh();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    const bob = await open(pod, '/ws?user_id=bob');
    bob.send({ type: 'presence_join', channel, payload: {} });
    await alice.next({ type: 'presence_join', user_id: 'bob' });
    await settledChannel(bob);
    expect(types(bob, channel)).toEqual([]);
    bob.send({ type: 'presence_leave', channel });
    await alice.next({ type: 'presence_leave', user_id: 'bob' });
  });

  test('ends at once when the client closes with 1000', async () => {
    const channel = fresh();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    const bob = await oldListener(pod, channel, 'bob', []);
    bob.send({ type: 'presence_join', channel, payload: {} });
    await alice.next({ type: 'presence_join' });
    await bob.close(1000);
    await alice.next({ type: 'presence_leave', user_id: 'bob' });
  });

  test('of two tabs is one member, who joins once and leaves with the last', async () => {
    const channel = fresh();
    const alice = await oldListener(pod, channel, 'alice', ['presence']);
    const tabs = [await oldListener(pod, channel, 'bob', []), await oldListener(pod, channel, 'bob', [])];
    for (const [index, tab] of tabs.entries()) {
      tab.send({ type: 'presence_join', channel, payload: { tab: index } });
      await settledChannel(tab);
    }
    const late = await oldListener(pod, channel, 'late', ['presence']);
    const { users } = (await late.next({ type: 'presence_sync' })) as { users?: unknown[] };
    expect(users).toMatchObject([{ user_id: 'bob', meta: { tab: 1 } }]);
    await tabs[0]?.close(1000);
    await settledChannel(alice);
    expect(alice.all({ type: 'presence_join' })).toHaveLength(1);
    expect(alice.all({ type: 'presence_leave' })).toEqual([]);
    await tabs[1]?.close(1000);
    await alice.next({ type: 'presence_leave', user_id: 'bob' });
    expect(alice.all({ type: 'presence_leave' })).toHaveLength(1);
  });

  test('of a user in two channels is kept apart', async () => {
    const [one, two] = [fresh(), fresh()];
    const alice = await oldListener(pod, one, 'alice', ['presence']);
    await subscribe(alice, two, ['presence']);
    const bob = await oldListener(pod, one, 'bob', []);
    bob.send({ type: 'presence_join', channel: one, payload: { in: 1 } });
    bob.send({ type: 'presence_join', channel: two, payload: { in: 2 } });
    await alice.next({ type: 'presence_join', channel: one, meta: { in: 1 } });
    await alice.next({ type: 'presence_join', channel: two, meta: { in: 2 } });
    bob.send({ type: 'presence_leave', channel: one });
    await alice.next({ type: 'presence_leave', channel: one });
    const late = await oldListener(pod, two, 'late', ['presence']);
    expect(await late.next({ type: 'presence_sync' })).toMatchObject({ users: [{ user_id: 'bob' }] });
  });
});

describe('An old client is never sent', () => {
  test('an error for a frame without a ref', async () => {
    const bob = await oldListener(pod, fresh(), 'bob', ['broadcast']);
    bob.send('nope');
    bob.send({ type: 'nope', channel: 'x' });
    bob.send({ type: 'subscribe', channel: '-' });
    bob.send({ type: 'broadcast' });
    bob.send({ type: 'subscribe', channel: 'x', listen: 'broadcast' });
    await settledChannel(bob);
    expectSeedOnly(bob);
  });

  test('a subscribed for its last_id, an unsubscribed, a drain or anything else that the seed does not know', async () => {
    const channel = fresh();
    const alice = await member(pod, channel, 'alice');
    const bob = await oldListener(pod, channel, 'bob', ['broadcast', 'presence']);
    const position = await published(alice, { room: channel, data: 1 });
    bob.send({ type: 'subscribe', channel, listen: ['broadcast', 'presence'], last_id: position });
    await published(alice, { room: channel, data: 2, ephemeral: true });
    await published(alice, { type: 'notification', room: channel, data: 3 });
    alice.send({ type: 'presence', room: channel, data: { status: 'away' } });
    await published(alice, { data: 'global' });
    await published(alice, { to: 'bob', data: 'direct' });
    bob.send({ type: 'unsubscribe', channel });
    await alice.close(1000);
    await settledChannel(bob);
    expect(bob.all({ channel, type: 'broadcast' }).length).toBeGreaterThanOrEqual(3);
    expectSeedOnly(bob);
  });

  test('an answer, unless its frame had a ref', async () => {
    const channel = fresh();
    const bob = await oldListener(pod, channel, 'bob', ['broadcast']);
    bob.send({ type: 'broadcast', channel, payload: 1, ref: 'b' });
    expect(await bob.next({ type: 'ack' })).toMatchObject({ ref: 'b', id: expect.stringMatching(/./) });
    bob.send({ type: 'nope', channel, ref: 'n' });
    expect(await bob.next({ type: 'error' })).toMatchObject({ channel, code: 'unknown_type', ref: 'n' });
    bob.send({ type: 'subscribe', channel, listen: ['broadcast'], ref: 's' });
    await bob.next({ ref: 's', channel });
  });

  test('global and direct messages that it has not subscribed', async () => {
    const bob = await oldListener(pod, fresh(), 'bob', ['broadcast']);
    const alice = await guest(pod);
    await published(alice, { data: 'global' });
    await published(alice, { to: 'bob', data: 'direct' });
    await settledChannel(bob);
    expect(bob.frames).toHaveLength(2);
  });
});
