import { describe, expect, test } from 'vitest';
import { aWorld, at, ids } from './world.ts';
import {
  fresh,
  guest,
  join,
  member,
  namedListener,
  oldListener,
  published,
  range,
} from '../integration/people.ts';
import type { Client } from '../support/client.ts';

const here = aWorld({ pods: 3, env: { HISTORY_SIZE: '1000' } });

/** Waits until the client has so many chats of the room. */
async function heard(client: Client, room: string, count: number): Promise<void> {
  await client.next(() => ids(client, room).length >= count);
}

describe('Messages that several pods publish into one room at once', () => {
  test('come to the members on all pods in one order, each of them once', async () => {
    const room = fresh();
    const speakers = [await member(here.a, room, 'alice'), await member(here.b, room, 'bob')];
    const all = [...speakers, await member(here.c, room, 'carol'), await member(here.b, room, 'dora')];
    for (const n of range(1, 150)) for (const one of speakers) one.send({ room, data: n });
    for (const one of all) await heard(one, room, 300);
    await here.marked(room, all);
    const [first, ...others] = all.map((one) => ids(one, room));
    for (const other of others) expect(other).toEqual(first);
    // 300 and the markers of three pods.
    expect(new Set(first).size).toBe(303);
    expect(first).toHaveLength(303);
    for (const user of ['alice', 'bob']) {
      const own = at(all, 2).all({ type: 'chat', room, from: user });
      expect(own.map(({ data }) => data)).toEqual(range(1, 150));
    }
  });

  test('come in one order to both dialects, published in both', async () => {
    const room = fresh();
    const alice = await member(here.a, room, 'alice');
    const bob = await namedListener(here.b, room, 'bob', ['broadcast']);
    const carol = await member(here.c, room, 'carol');
    const old = await oldListener(here.c, room, 'old', ['broadcast']);
    for (const n of range(1, 60)) {
      alice.send({ room, data: `alice ${n}` });
      bob.send({ type: 'broadcast', channel: room, payload: `bob ${n}` });
      old.send({ type: 'broadcast', channel: room, payload: `old ${n}` });
    }
    for (const one of [alice, carol]) await heard(one, room, 180);
    for (const one of [bob, old])
      await one.next(() => one.all({ type: 'broadcast', channel: room }).length >= 180);
    expect(ids(alice, room)).toEqual(ids(carol, room));
    const heardByBob = bob.all({ type: 'broadcast', channel: room });
    expect(heardByBob.map(({ id }) => id)).toEqual(ids(alice, room));
    const texts = alice.all({ type: 'chat', room }).map(({ data }) => data);
    expect(heardByBob.map(({ payload }) => payload)).toEqual(texts);
    expect(old.all({ type: 'broadcast', channel: room }).map(({ payload }) => payload)).toEqual(texts);
  });

  test('keep their order in each of many rooms', async () => {
    const rooms = range(1, 20).map(() => fresh());
    const people = [await guest(here.a, 'alice'), await guest(here.b, 'bob'), await guest(here.c, 'carol')];
    for (const one of people) for (const room of rooms) await join(one, room);
    for (const n of range(1, 10)) {
      for (const room of rooms) for (const one of people) one.send({ room, data: n });
    }
    for (const room of rooms) {
      for (const one of people) await heard(one, room, 30);
      const [first, ...others] = people.map((one) => ids(one, room));
      expect(new Set(first).size).toBe(30);
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test('keep the order of their publisher, whatever is kept of them, with a ref or without', async () => {
    const room = fresh();
    const alice = await member(here.a, room, 'alice');
    const bob = await member(here.b, room, 'bob');
    for (const n of range(1, 120)) {
      const ref = n % 3 === 0 ? { ref: `${room}.${n}` } : {};
      alice.send({ room, data: n, ...ref, ...(n % 5 === 0 ? { ephemeral: true } : {}) });
    }
    for (const one of [alice, bob]) await one.next({ data: 120 });
    const heardBy = (one: Client): unknown[] => one.all({ type: 'chat', room }).map(({ data }) => data);
    expect.soft(heardBy(bob)).toEqual(range(1, 120));
    expect.soft(heardBy(alice)).toEqual(range(1, 120));
  });

  test('that are not kept come after all that their publisher had said before, in whichever room', async () => {
    for (const room of range(1, 5).map(() => fresh())) {
      const alice = await member(here.a, room, 'alice');
      const bob = await member(here.b, room, 'bob');
      for (const n of range(1, 20)) alice.send({ room, data: n });
      alice.send({ room: fresh(), data: 'elsewhere' });
      alice.send({ room, data: 21, ephemeral: true });
      for (const one of [alice, bob]) {
        await heard(one, room, 21);
        expect(one.all({ type: 'chat', room }).map(({ data }) => data)).toEqual(range(1, 21));
      }
    }
  });
});

test('A burst longer than HISTORY_SIZE is missed by nobody who reads, whoever publishes besides', async () => {
  const env = { REDIS_PREFIX: 'short:', HISTORY_SIZE: '5' };
  const [one, two] = [await here.pod(env), await here.pod(env)];
  for (const round of range(1, 10)) {
    const room = fresh();
    const people = [await member(one, room, 'alice'), await member(two, room, 'bob')];
    for (const n of range(1, 30)) for (const each of people) each.send({ room, data: n });
    // What comes last is not in anybody's history any more when it is missed, but it is delivered.
    for (const each of people) for (const from of ['alice', 'bob']) await each.next({ from, data: 30 });
    for (const each of people) {
      expect([round, each.all({ event: 'recovered' })]).toEqual([round, []]);
      expect(ids(each, room)).toHaveLength(60);
    }
  }
});

describe('A message', () => {
  test('is one and the same frame on every pod', async () => {
    const room = fresh();
    const people = [
      await member(here.a, room, 'alice'),
      await member(here.b, room, 'bob'),
      await member(here.c, room, 'carol'),
    ];
    const data = { text: 'ünï "quoted" \u2028 😀', deep: [[{ a: null }]], number: 1e-7 };
    at(people, 0).send({ type: 'notification', room, event: 'e', data });
    const frames = await Promise.all(people.map((one) => one.next({ type: 'notification' })));
    expect(frames[0]).toMatchObject({ room, from: 'alice', event: 'e', data });
    for (const frame of frames) expect(frame).toEqual(frames[0]);
  });

  test('comes to its sender once, before the ack that names its id', async () => {
    const room = fresh();
    const [alice, bob] = [await member(here.a, room, 'alice'), await member(here.b, room, 'bob')];
    const refs = range(1, 50).map((n) => `${room}.${n}`);
    for (const ref of refs) for (const one of [alice, bob]) one.send({ room, event: ref, data: 1, ref });
    for (const [one, user] of [
      [alice, 'alice'],
      [bob, 'bob'],
    ] as const) {
      for (const ref of refs) {
        const ack = await one.next({ type: 'ack', ref });
        const own = one.all({ type: 'chat', room, from: user, event: ref });
        expect(own.map(({ id }) => id)).toEqual([ack['id']]);
        expect(one.frames.indexOf(at(own, 0))).toBeLessThan(one.frames.indexOf(ack));
      }
    }
  });

  test('reaches the members on other pods where its publisher and its pod are not in the room', async () => {
    const room = fresh();
    const bob = await member(here.b, room, 'bob');
    const eve = await guest(here.a, 'eve');
    const id = await published(eve, { type: 'chat', room, data: 'from outside' });
    expect(await bob.next({ data: 'from outside' })).toMatchObject({ id, room, from: 'eve' });
    expect(eve.all({ room, type: 'chat' })).toEqual([]);
  });

  test('reaches a room again that everybody on the pod had left', async () => {
    const room = fresh();
    const alice = await guest(here.a, 'alice');
    const bob = await guest(here.b, 'bob');
    for (const n of range(1, 20)) {
      await join(bob, room);
      await published(alice, { room, data: n });
      await bob.next({ data: n });
      bob.send({ type: 'leave', room });
      await bob.next({ event: 'left', room });
      await published(alice, { room, data: -n });
    }
    expect(bob.all({ type: 'chat', room }).map(({ data }) => data)).toEqual(range(1, 20));
  });
});
