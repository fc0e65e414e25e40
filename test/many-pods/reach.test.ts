import { describe, expect, test } from 'vitest';
import { aWorld, connectionId, post, said } from './world.ts';
import { fresh, guest, join, member, namedListener, published } from '../integration/people.ts';
import type { Client } from '../support/client.ts';

const here = aWorld({ pods: 3 });

/** After this, all that any pod sent to this user before has arrived at the clients, which are the user's. */
async function markedFor(user: string, clients: readonly Client[]): Promise<void> {
  for (const pod of here.pods) {
    const event = fresh('marker');
    await post(pod, `/api/users/${user}/messages`, { event });
    for (const one of clients) await one.next({ event });
  }
}

/** The same for messages to everybody. */
async function markedForAll(clients: readonly Client[]): Promise<void> {
  for (const pod of here.pods) {
    const event = fresh('marker');
    await post(pod, '/api/broadcast', { event });
    for (const one of clients) await one.next({ event });
  }
}

describe('A message to everybody', () => {
  test('reaches every connection on every pod once, in a room or in none, its sender too', async () => {
    const all: Client[] = [];
    for (const pod of here.pods) {
      const inRooms = await member(pod, fresh(), 'bob');
      await join(inRooms, fresh());
      all.push(await guest(pod), inRooms);
    }
    const event = fresh('news');
    const id = await published(await guest(here.b, 'alice'), { type: 'chat', event, data: { a: 1 } });
    for (const one of all) {
      const frame = await one.next({ event });
      expect(frame).toMatchObject({ type: 'chat', id, from: 'alice', data: { a: 1 }, ephemeral: true });
      expect(frame).not.toHaveProperty('room');
    }
    await markedForAll(all);
    for (const one of all) expect(one.all({ event })).toHaveLength(1);
  });

  test('reaches who subscribed @global on any pod, from both dialects', async () => {
    const zoe = await namedListener(here.c, '@global', 'zoe', ['broadcast']);
    const bob = await guest(here.b);
    const event = fresh('news');
    await published(await guest(here.a, 'alice'), { event, data: 1 });
    await zoe.next({ type: 'broadcast', channel: '@global', event, payload: 1, user_id: 'alice' });
    await published(zoe, { type: 'broadcast', channel: '@global', event, payload: 2 });
    await bob.next({ type: 'chat', event, from: 'zoe', data: 2 });
  });

  test('over HTTP reaches every pod with one id', async () => {
    const all = await Promise.all(here.pods.map((pod) => guest(pod)));
    const event = fresh('news');
    const { status, body } = await post(here.c, '/api/broadcast', { event, data: 'all' });
    expect(status).toBe(200);
    const { id, timestamp } = body;
    for (const one of all) {
      await one.next({
        type: 'notification',
        event,
        id,
        timestamp,
        from: 'system',
        data: 'all',
        ephemeral: true,
      });
    }
  });
});

describe('A direct message', () => {
  test('reaches the connections of a user on all pods once, and nobody else', async () => {
    const [bob, carol] = [fresh('bob'), fresh('carol')];
    const room = fresh();
    const bobs = [await member(here.a, room, bob), await guest(here.b, bob), await guest(here.c, bob)];
    const others = [await member(here.a, room, carol), await guest(here.c, carol)];
    const alice = await member(here.c, room, fresh('alice'));
    const id = await published(alice, { type: 'chat', to: bob, event: 'whisper', data: 'psst' });
    for (const one of bobs) {
      const frame = await one.next({ event: 'whisper' });
      expect(frame).toMatchObject({ type: 'chat', id, to: bob, data: 'psst', ephemeral: true });
      expect(frame).not.toHaveProperty('room');
    }
    await markedFor(bob, bobs);
    await markedFor(carol, others);
    for (const one of bobs) expect(one.all({ event: 'whisper' })).toHaveLength(1);
    for (const one of [...others, alice]) expect(one.all({ event: 'whisper' })).toEqual([]);
  });

  test('to conn:<id> reaches that connection on whichever pod, and no other of its user', async () => {
    const bob = fresh('bob');
    const bobs = [await guest(here.a, bob), await guest(here.b, bob), await guest(here.b, bob)] as const;
    const alice = await guest(here.a);
    await published(alice, { to: `conn:${connectionId(bobs[1])}`, event: 'whisper', data: 1 });
    await bobs[1].next({ event: 'whisper', data: 1 });
    await markedFor(bob, bobs);
    expect(bobs.map((one) => one.all({ event: 'whisper' }).length)).toEqual([0, 1, 0]);
  });

  test('to somebody without a name is addressed by the connection id', async () => {
    const nameless = await guest(here.b);
    const alice = await guest(here.a);
    alice.send({ to: connectionId(nameless), data: 1 });
    await nameless.next({ data: 1 });
  });

  test('reaches who subscribed @direct on another pod', async () => {
    const user = fresh('zoe');
    const zoe = await namedListener(here.b, '@direct', user, ['broadcast']);
    await published(await guest(here.a, 'alice'), { to: user, event: 'whisper', data: 1 });
    await zoe.next({ type: 'broadcast', channel: '@direct', event: 'whisper', payload: 1, user_id: 'alice' });
  });

  test('keeps the order of its sender on another pod', async () => {
    const user = fresh('bob');
    const [bob, alice] = [await guest(here.b, user), await guest(here.a, fresh('alice'))];
    for (let n = 1; n <= 50; n += 1)
      alice.send({ to: user, data: n, ...(n % 3 === 0 ? { ref: `r${n}` } : {}) });
    await bob.next({ data: 50 });
    expect(bob.all({ type: 'chat' }).map(({ data }) => data)).toEqual(
      Array.from({ length: 50 }, (_, n) => n + 1),
    );
  });

  test('over HTTP reaches the user on all pods', async () => {
    const user = fresh('bob');
    const bobs = [await guest(here.a, user), await guest(here.c, user)];
    const { body } = await post(here.b, `/api/users/${user}/messages`, { event: 'note', data: 1 });
    for (const one of bobs)
      await one.next({ event: 'note', id: body['id'], from: 'system', to: user, data: 1 });
    await markedFor(user, bobs);
    for (const one of bobs) expect(one.all({ event: 'note' })).toHaveLength(1);
  });
});

describe('What is posted to one pod reaches members on the others, once:', () => {
  test('POST /api/rooms/{room}/messages', async () => {
    const room = fresh();
    const all = await Promise.all(here.pods.map((pod) => member(pod, room, fresh('user'))));
    const id = await said(here.a, room, { type: 'notification', event: 'e', data: { a: 1 }, from: 'build' });
    for (const one of all) {
      await one.next({ type: 'notification', id, room, event: 'e', data: { a: 1 }, from: 'build' });
    }
    await here.marked(room, all);
    for (const one of all) expect(one.all({ id })).toHaveLength(1);
  });

  test('POST /api/event', async () => {
    const room = fresh();
    const [bob, zoe] = [
      await member(here.b, room, 'bob'),
      await namedListener(here.c, room, 'zoe', ['broadcast']),
    ];
    const { body } = await post(here.a, '/api/event', { channel: room, event: 'e', payload: 1 });
    expect(body['status']).toBe('ok');
    await bob.next({ type: 'chat', event: 'e', data: 1, id: body['message_id'] });
    expect(await zoe.next({ type: 'broadcast', channel: room, event: 'e', payload: 1 })).not.toHaveProperty(
      'user_id',
    );
  });

  test('POST /api/messages, in order', async () => {
    const rooms = [fresh(), fresh()] as const;
    const bob = await member(here.b, rooms[0], 'bob');
    await join(bob, rooms[1]);
    const messages = Array.from({ length: 20 }, (_, n) => ({
      room: n % 2 === 0 ? rooms[0] : rooms[1],
      data: n,
    }));
    const { body } = await post(here.a, '/api/messages', { messages });
    await bob.next({ data: 18 });
    await bob.next({ data: 19 });
    for (const [odd, room] of rooms.entries()) {
      const heard = bob.all({ type: 'chat', room });
      expect(heard.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, (_, n) => 2 * n + odd));
      const results = body['results'] as { id: string }[];
      expect(heard.map(({ id }) => id)).toEqual(results.map(({ id }) => id).filter((_, n) => n % 2 === odd));
    }
  });
});
