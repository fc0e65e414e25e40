import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, part } from '../support/client.ts';
import { fresh, guest, member, published, settled } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

const text = expect.stringMatching(/./);

function connectionId(client: Client): string {
  return String(part(client.all({ event: 'connected' })[0] ?? {}, 'data')['connection_id']);
}

describe('A direct message', () => {
  test('to a user reaches all connections of that user, in whatever room, and nobody else', async () => {
    const [bob, carol] = [fresh('bob'), fresh('carol')];
    const room = fresh();
    const alice = await member(pod, room, fresh('alice'));
    const bobs = [await member(pod, room, bob), await member(pod, fresh(), bob), await guest(pod, bob)];
    const other = await member(pod, room, carol);
    const id = await published(alice, { type: 'chat', to: bob, event: 'whisper', data: { psst: true } });
    for (const one of bobs) {
      const frame = await one.next({ type: 'chat' });
      expect(frame).toMatchObject({ id, event: 'whisper', data: { psst: true }, ephemeral: true });
      expect(frame['from']).toMatch(/^alice/);
      expect(frame).not.toHaveProperty('room');
    }
    await published(alice, { type: 'chat', to: carol, data: 'marker' });
    await other.next({ data: 'marker' });
    await settled(alice);
    expect(other.all({ event: 'whisper' })).toEqual([]);
    expect(alice.all({ event: 'whisper' })).toEqual([]);
  });

  test('to conn:<id> reaches that one connection only', async () => {
    const bob = fresh('bob');
    const [one, two] = [await guest(pod, bob), await guest(pod, bob)];
    const alice = await guest(pod);
    const id = await published(alice, { type: 'notification', to: `conn:${connectionId(two)}`, data: 2 });
    await published(alice, { type: 'chat', to: bob, data: 'marker' });
    expect(await two.next({ type: 'notification' })).toMatchObject({ id, data: 2, ephemeral: true });
    await one.next({ data: 'marker' });
    expect(one.all({ type: 'notification' })).toEqual([]);
  });

  test('to oneself reaches oneself', async () => {
    const alice = await guest(pod, fresh('alice'));
    alice.send({ to: `conn:${connectionId(alice)}`, data: 'note to self' });
    expect(await alice.next({ type: 'chat' })).toMatchObject({ data: 'note to self', id: text });
  });

  test('to a user without a name is addressed by the connection id', async () => {
    const nameless = await guest(pod);
    const alice = await guest(pod, fresh('alice'));
    alice.send({ to: `conn:${connectionId(nameless)}`, data: 1 });
    alice.send({ to: connectionId(nameless), data: 2 });
    await nameless.next({ data: 1 });
    await nameless.next({ data: 2 });
  });

  test('is not sent to the room of the address', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    const carol = await guest(pod, fresh('carol'));
    const user = String(part(carol.all({ event: 'connected' })[0] ?? {}, 'data')['user_id']);
    await published(alice, { to: user, data: 'for carol' });
    await published(alice, { data: 'for the room' });
    await bob.next({ data: 'for the room' });
    expect(bob.all({ data: 'for carol' })).toEqual([]);
  });

  test('to nobody, empty or null, is refused and goes to nobody, in a room or without one', async () => {
    const room = fresh();
    const bob = await member(pod, room, fresh('bob'));
    for (const alice of [await guest(pod), await member(pod, room, fresh('alice'))]) {
      for (const to of ['', null]) {
        alice.send({ type: 'chat', to, data: 'secret', ref: `to ${String(to)}` });
        const answer = await alice.next({ ref: `to ${String(to)}` });
        expect(answer).toMatchObject({ type: 'error', data: { code: 'invalid_message' } });
      }
      await published(alice, { type: 'chat', room, data: `after ${alice.all({}).length}` });
    }
    await settled(bob);
    expect(bob.all({ data: 'secret' })).toEqual([]);
  });

  test('is not kept: who comes later does not get it', async () => {
    const bob = fresh('bob');
    const alice = await guest(pod);
    await published(alice, { type: 'chat', to: bob, data: 'too early' });
    const late = await guest(pod, bob);
    await published(alice, { type: 'chat', to: bob, data: 'in time' });
    await late.next({ data: 'in time' });
    expect(late.all({ type: 'chat' })).toHaveLength(1);
  });
});

describe('A global broadcast', () => {
  test('is a chat without a room on a connection whose address names none', async () => {
    const alice = await guest(pod, 'alice');
    const inRoom = await member(pod, fresh(), 'bob');
    const inNone = await guest(pod, 'carol');
    const id = await published(alice, { type: 'chat', event: 'news', data: { all: true } });
    const seen = await Promise.all([alice, inRoom, inNone].map((one) => one.next({ event: 'news' })));
    for (const frame of seen) {
      expect(frame).toMatchObject({ type: 'chat', id, from: 'alice', data: { all: true }, ephemeral: true });
      expect(frame).not.toHaveProperty('room');
    }
  });

  test('may be a notification, and its room may be empty', async () => {
    const alice = await guest(pod);
    const bob = await member(pod, fresh(), 'bob');
    alice.send({ type: 'notification', room: '', event: 'empty-room', data: 1 });
    expect(await bob.next({ event: 'empty-room' })).toMatchObject({ type: 'notification', ephemeral: true });
  });

  test('is what a client says without a room after it has joined one by a frame', async () => {
    const alice = await guest(pod);
    alice.send({ type: 'join', room: fresh() });
    await alice.next({ event: 'joined' });
    const bob = await guest(pod);
    alice.send({ event: 'still-global', data: 1 });
    expect(await bob.next({ event: 'still-global' })).not.toHaveProperty('room');
  });

  test('is acked without a room', async () => {
    const alice = await guest(pod);
    alice.send({ data: 1, ref: 'g' });
    const ack = await alice.next({ type: 'ack', ref: 'g' });
    expect(ack['id']).toEqual(text);
    expect(ack).not.toHaveProperty('room');
  });

  test('comes once to a connection in several rooms', async () => {
    const bob = await member(pod, fresh(), 'bob');
    bob.send({ type: 'join', room: fresh() });
    await bob.next({ event: 'joined' });
    await published(await guest(pod), { event: 'once', data: 1 });
    await bob.next({ event: 'once' });
    await settled(bob);
    expect(bob.all({ event: 'once' })).toHaveLength(1);
  });
});
