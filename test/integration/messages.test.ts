import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Frame, open, part } from '../support/client.ts';
import { fresh, guest, join, member, published, settled } from './people.ts';

const pod = await startPod();
afterAll(() => pod.stop());

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const text = expect.stringMatching(/./);
const timestamp = expect.stringMatching(RFC3339);

describe('The greeting', () => {
  test('names the connection, the user, the heartbeat and the longest frame, and comes first', async () => {
    const client = await open(pod, '/ws/lobby?user_id=alice');
    await client.next({ event: 'joined' });
    expect(client.frames[0]).toMatchObject({
      type: 'system',
      event: 'connected',
      from: 'system',
      data: { connection_id: text, user_id: 'alice', heartbeat_seconds: 25, max_message_bytes: 65_536 },
      timestamp,
    });
  });

  test('gives every connection an id of its own', async () => {
    const clients = await Promise.all(['bob', 'bob', 'bob'].map((user) => guest(pod, user)));
    const ids = clients.map(({ frames: [first = {}] }) => part(first, 'data')['connection_id']);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('A join', () => {
  test('is answered with the position, the count and the members, and with its ref', async () => {
    const room = fresh();
    await member(pod, room, 'alice');
    const bob = await guest(pod, 'bob');
    const before = Math.floor(Date.now() / 1000);
    const joined = await join(bob, room, { ref: 'j1' });
    expect(joined).toMatchObject({
      type: 'system',
      event: 'joined',
      room,
      from: 'system',
      ref: 'j1',
      data: { position: text, count: 2 },
      timestamp,
    });
    const { members } = part(joined, 'data') as { members: Frame[] };
    expect(members.toSorted((a, b) => String(a['user_id']).localeCompare(String(b['user_id'])))).toEqual([
      { user_id: 'alice', status: 'online', meta: {}, updated_at: expect.any(Number) },
      { user_id: 'bob', status: 'online', meta: {}, updated_at: expect.any(Number) },
    ]);
    const seconds = members.map((row) => Number(row['updated_at']));
    for (const at of seconds) expect(at).toSatisfy((n: number) => Number.isInteger(n) && n >= before - 60);
    for (const at of seconds) expect(at).toBeLessThanOrEqual(Date.now() / 1000);
  });

  test('that asks for nothing says nothing of recovery', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    await published(alice, { type: 'chat', room, data: 1 });
    const joined = await join(await guest(pod), room);
    expect(part(joined, 'data')).not.toHaveProperty('recovered');
    expect(part(joined, 'data')).not.toHaveProperty('reason');
    expect(joined).not.toHaveProperty('ref');
  });

  test('finds its room in data.room as well, and so does a leave', async () => {
    const room = fresh();
    const client = await guest(pod);
    client.send({ type: 'join', data: { room } });
    await client.next({ event: 'joined', room });
    client.send({ type: 'leave', data: { room } });
    await client.next({ event: 'left', room });
  });

  test('makes a connection hear several rooms at once', async () => {
    const [one, two] = [fresh(), fresh()];
    const client = await member(pod, one, 'alice');
    await join(client, two);
    const bob = await guest(pod, 'bob');
    bob.send({ type: 'chat', room: one, data: 1 });
    bob.send({ type: 'chat', room: two, data: 2 });
    await client.next({ type: 'chat', room: one, data: 1 });
    await client.next({ type: 'chat', room: two, data: 2 });
  });

  test('of a room that one is in already is answered and delivers nothing twice', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    await join(alice, room, { ref: 'again' });
    await published(alice, { type: 'chat', room, data: 'once' });
    await settled(alice);
    expect(alice.all({ type: 'chat', room })).toHaveLength(1);
  });
});

describe('A leave', () => {
  test('is answered with its ref, and from then on the room is not heard', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await member(pod, room, 'alice');
    await join(alice, other);
    const bob = await member(pod, room, 'bob');
    alice.send({ type: 'leave', room, ref: 'l1' });
    const left = await alice.next({ event: 'left' });
    expect(left).toMatchObject({ type: 'system', event: 'left', room, from: 'system', ref: 'l1', timestamp });
    await published(bob, { type: 'chat', room, data: 'unheard' });
    await published(bob, { type: 'chat', room: other, data: 'marker' });
    await alice.next({ type: 'chat', room: other });
    expect(alice.all({ type: 'chat', room })).toEqual([]);
  });

  test('without a room leaves that of the address', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'leave' });
    await alice.next({ event: 'left', room });
  });
});

describe('A message', () => {
  test('reaches everybody in the room, its sender too, as one and the same frame', async () => {
    const room = fresh();
    const clients = [await member(pod, room, 'alice'), await member(pod, room, 'bob')];
    const outsider = await guest(pod, 'eve');
    const [alice, bob] = clients as [(typeof clients)[0], (typeof clients)[0]];
    alice.send({ type: 'chat', room, data: { text: 'hi' }, event: 'greeting', ref: 'm1' });
    const heard = await bob.next({ type: 'chat' });
    expect(heard).toEqual({
      type: 'chat',
      id: text,
      room,
      from: 'alice',
      event: 'greeting',
      data: { text: 'hi' },
      timestamp,
    });
    expect(await alice.next({ type: 'chat' })).toEqual(heard);
    expect(await alice.next({ type: 'ack' })).toMatchObject({ ref: 'm1', id: heard['id'], room });
    await published(bob, { type: 'chat', to: 'eve', data: 'marker' });
    await outsider.next({ data: 'marker' });
    expect(outsider.all({ room })).toEqual([]);
  });

  test('is dated with the time at which it was accepted', async () => {
    const alice = await member(pod, fresh(), 'alice');
    const before = Date.now();
    alice.send({ data: 1 });
    const { timestamp: at } = await alice.next({ type: 'chat' });
    expect(at).toMatch(RFC3339);
    expect(Date.parse(String(at))).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(at))).toBeLessThanOrEqual(Date.now());
  });

  test('of type notification stays one', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'notification', room, event: 'build', data: 'red' });
    expect(await alice.next({ event: 'build' })).toMatchObject({ type: 'notification', room, data: 'red' });
  });

  test('without a ref is not acked, without an event has none', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send({ type: 'chat', room, data: 1 });
    expect(await alice.next({ type: 'chat' })).not.toHaveProperty('event');
    await settled(alice);
    expect(alice.all({ type: 'ack' })).toEqual([]);
  });

  test('is a chat in the room of the address unless it says otherwise', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await member(pod, room, 'alice');
    await join(alice, other);
    alice.send({ data: 'bare' });
    alice.send({ room: '', data: 'empty room' });
    alice.send({ room: other, data: 'elsewhere' });
    await alice.next({ type: 'chat', room: other, data: 'elsewhere' });
    await alice.next({ type: 'chat', room, data: 'bare' });
    await alice.next({ type: 'chat', room, data: 'empty room' });
  });

  test('may be nothing but braces: a chat of null in the room of the address', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send('{}');
    await alice.next({ type: 'chat', room, from: 'alice', data: null });
  });

  test('keeps its place: all members get the messages of one sender in the order it sent them', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    for (let n = 1; n <= 100; n += 1) {
      // With and without a ref, kept and ephemeral: each takes its own way through the server.
      const ref = n % 3 === 0 ? { ref: `o${n}` } : {};
      alice.send({ room, data: n, ...ref, ...(n % 5 === 0 ? { ephemeral: true } : {}) });
    }
    await bob.next({ data: 100 });
    expect(bob.all({ type: 'chat' }).map(({ data }) => data)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  test('is in one order for all members, whoever sent it', async () => {
    const room = fresh();
    const people = await Promise.all(['alice', 'bob', 'carol'].map((user) => member(pod, room, user)));
    for (let n = 0; n < 50; n += 1) for (const one of people) one.send({ room, data: n });
    for (const one of people) await one.next(() => one.all({ type: 'chat' }).length === 150);
    const [first, ...others] = people.map((one) => one.all({ type: 'chat' }).map(({ id }) => id));
    for (const other of others) expect(other).toEqual(first);
    expect(new Set(first).size).toBe(150);
  });
});

describe('What a client puts into the envelope', () => {
  test('cannot forge id, from or timestamp', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send({
      type: 'chat',
      id: 'forged',
      room,
      from: 'system',
      timestamp: '1999-01-01T00:00:00.000Z',
      data: 1,
    });
    const { id, from, timestamp: at } = await alice.next({ type: 'chat' });
    expect(id).not.toBe('forged');
    expect(from).toBe('alice');
    expect(at).not.toMatch(/^1999/);
  });

  test('is ignored and not passed on where it is unknown', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    alice.send(
      `{"type":"chat","room":"${room}","data":1,"provisional":true,"provisional_id":"x","user_id":"eve",` +
        `"count":7,"__proto__":{"from":"eve","ephemeral":true},"constructor":{"x":1},"event\\u0000":"x"}`,
    );
    const frame = await alice.next({ type: 'chat' });
    expect(Object.keys(frame).toSorted()).toEqual(['data', 'from', 'id', 'room', 'timestamp', 'type']);
    expect(frame['from']).toBe('alice');
  });
});

describe('Publishing to a room that one is not in', () => {
  test('works, is acked, and makes nobody a member', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const eve = await guest(pod, 'eve');
    const id = await published(eve, { type: 'chat', room, data: 'from outside' });
    expect(await alice.next({ data: 'from outside' })).toMatchObject({ id, from: 'eve', room });
    await published(alice, { type: 'chat', room, data: 'inside' });
    await settled(eve);
    expect(eve.all({ type: 'chat' })).toEqual([]);
    expect(alice.all({ type: 'presence' })).toEqual([]);
  });

  test('is kept for those who come later, also when nobody is in the room', async () => {
    const room = fresh();
    const id = await published(await guest(pod, 'eve'), { type: 'chat', room, data: 'for later' });
    const late = await open(pod, `/ws/${room}?history=10`);
    expect(await late.next({ type: 'chat' })).toMatchObject({ id, from: 'eve', data: 'for later' });
  });
});

describe('A ping', () => {
  test('is answered with a pong that carries its ref and the time', async () => {
    const client = await guest(pod);
    client.send({ type: 'ping', ref: 'p' });
    expect(await client.next({ type: 'pong' })).toMatchObject({ ref: 'p', timestamp });
  });

  test('needs no ref', async () => {
    const client = await guest(pod);
    client.send({ type: 'ping' });
    expect(await client.next({ type: 'pong' })).not.toHaveProperty('ref');
  });
});

describe('Commands that are sent without waiting for answers', () => {
  test('take effect in the order in which they were sent', async () => {
    const room = fresh();
    const bob = await member(pod, room, 'bob');
    const alice = await open(pod, '/ws?user_id=alice&dialect=message');
    for (const frame of [
      { type: 'chat', room, data: 'before', ref: '1' },
      { type: 'join', room, ref: '2' },
      { type: 'chat', room, data: 'inside', ref: '3' },
      { type: 'presence', room, data: { status: 'away' }, ref: '4' },
      { type: 'leave', room, ref: '5' },
      { type: 'chat', room, data: 'after', ref: '6' },
      { type: 'ping', ref: '7' },
    ]) {
      alice.send(frame);
    }
    for (const ref of ['1', '2', '3', '4', '5', '6', '7']) await alice.next({ ref });
    expect(alice.all({ type: 'chat' }).map(({ data }) => data)).toEqual(['inside']);
    await bob.next({ data: 'after' });
    const heard = bob.frames.slice(2).map(({ type, data }) => {
      return type === 'presence' ? (data as { status?: unknown }).status : data;
    });
    expect(heard).toEqual(['before', 'online', 'inside', 'away', 'offline', 'after']);
  });

  test('are all done, however many wait behind a join', async () => {
    const room = fresh();
    const alice = await open(pod, '/ws?dialect=message');
    alice.send({ type: 'join', room });
    for (let n = 0; n < 1_000; n += 1) alice.send({ room, data: n });
    await alice.next({ data: 999 });
    expect(alice.all({ type: 'chat' }).map(({ data }) => data)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => index),
    );
  });

  test('are done although the client is gone before their answers', async () => {
    const room = fresh();
    const bob = await member(pod, room, 'bob');
    const alice = await open(pod, '/ws?dialect=message');
    alice.send({ type: 'join', room: fresh() });
    for (let n = 0; n < 10; n += 1) alice.send({ room, data: n });
    alice.ws.close(1000);
    await bob.next({ data: 9 });
    expect(bob.all({ type: 'chat' })).toHaveLength(10);
  });
});
