import { describe, expect, test } from 'vitest';
import { type Answer, aWorld, post } from './world.ts';
import { fresh, guest, join, member, namedListener, published } from '../integration/people.ts';
import type { Client, Frame } from '../support/client.ts';

const here = aWorld({ env: { API_KEYS: 'key-1,key-2' } });
const KEY = { 'X-API-Key': 'key-1' };

/** A user's connections to two pods. */
async function twice(user: string): Promise<[Client, Client]> {
  return [await guest(here.a, user), await guest(here.b, user)];
}

/** Publishes a last message from both pods, so that what was published before has arrived; gives what was heard. */
async function heardIn(room: string, clients: readonly Client[]): Promise<unknown[][]> {
  for (const [n, pod] of here.pods.entries()) {
    const marker = `${fresh('marker')}.${n}`;
    await post(pod, `/api/rooms/${room}/messages`, { type: 'notification', event: marker }, KEY);
    for (const client of clients) await client.next({ event: marker });
  }
  return clients.map((client) => client.all({ type: 'chat', room }).map(({ data }) => data));
}

describe('A ref that a user repeats on another pod is acked with the first id and delivered to nobody twice', () => {
  test.each<[string, Frame]>([
    ['kept', {}],
    ['ephemeral', { ephemeral: true }],
  ])('in a room (%s)', async (_, kind) => {
    const room = fresh();
    const [one, two] = await twice(fresh('alice'));
    const others = [await member(here.a, room, 'bob'), await member(here.b, room, 'carol')];
    const first = await published(one, { room, data: 1, ...kind }, 'same');
    expect(await published(two, { room, data: 2, ...kind }, 'same')).toBe(first);
    expect(await published(one, { room, data: 3, ...kind }, 'same')).toBe(first);
    expect(await heardIn(room, others)).toEqual([[1], [1]]);
    const late = await guest(here.b);
    const joined = await join(late, room, { history: 10 });
    // The markers of two pods are kept, too.
    expect(joined).toMatchObject({ data: { replayed: kind['ephemeral'] === true ? 2 : 3 } });
  });

  test('on both pods at the same time', async () => {
    const room = fresh();
    const [one, two] = await twice(fresh('alice'));
    const others = [await member(here.a, room, 'bob'), await member(here.b, room, 'carol')];
    for (let n = 0; n < 20; n += 1) {
      const frame = { room, data: n, ...(n % 2 === 0 ? {} : { ephemeral: true }) };
      const ids = await Promise.all([published(one, frame, `ref-${n}`), published(two, frame, `ref-${n}`)]);
      expect(ids[0]).toBe(ids[1]);
    }
    for (const heard of await heardIn(room, others)) {
      expect(heard.toSorted((x, y) => Number(x) - Number(y))).toEqual(
        Array.from({ length: 20 }, (_, n) => n),
      );
    }
  });

  test('from a new connection after the first was lost, and in the other dialect', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const bob = await member(here.b, room, 'bob');
    const before = await guest(here.a, user);
    const first = await published(before, { room, data: 1 }, 'same');
    await before.terminate();
    const after = await namedListener(here.b, room, user, ['broadcast']);
    const again = { type: 'broadcast', channel: room, payload: 2 };
    expect(await published(after, again, 'same')).toBe(first);
    expect(await heardIn(room, [bob])).toEqual([[1]]);
  });

  test('as a message to everybody', async () => {
    const [one, two] = await twice(fresh('alice'));
    const others = [await guest(here.a), await guest(here.b)];
    const event = fresh('global');
    const first = await published(one, { event, data: 1 }, 'same');
    expect(await published(two, { event, data: 2 }, 'same')).toBe(first);
    for (const [n, from] of [one, two].entries()) await published(from, { event, data: `marker ${n}` });
    for (const each of others) {
      for (const n of [0, 1]) await each.next({ event, data: `marker ${n}` });
      expect(each.all({ event }).map(({ data }) => data)).toEqual([1, 'marker 0', 'marker 1']);
    }
  });

  test('as a direct message, to whomever: all of them are one room', async () => {
    const [one, two] = await twice(fresh('alice'));
    const [bob, carol] = [fresh('bob'), fresh('carol')];
    const [toBob, toCarol] = [await guest(here.b, bob), await guest(here.a, carol)];
    const first = await published(one, { to: bob, data: 1 }, 'same');
    expect(await published(two, { to: bob, data: 2 }, 'same')).toBe(first);
    expect(await published(two, { to: carol, data: 3 }, 'same')).toBe(first);
    for (const [to, client, before] of [
      [bob, toBob, [1]],
      [carol, toCarol, []],
    ] as const) {
      for (const [n, from] of [one, two].entries()) await published(from, { to, data: `marker ${n}` });
      for (const n of [0, 1]) await client.next({ data: `marker ${n}` });
      expect(client.all({ type: 'chat' }).map(({ data }) => data)).toEqual([
        ...before,
        'marker 0',
        'marker 1',
      ]);
    }
  });
});

test('The same ref on another pod is another publication in another room, of another user, and of nobody', async () => {
  const [room, other] = [fresh(), fresh()];
  const [one, two] = await twice(fresh('alice'));
  const bob = await guest(here.b, fresh('bob'));
  const nobodies = [await guest(here.a), await guest(here.b)];
  const ids = [await published(one, { room, data: 1 }, 'same')];
  ids.push(await published(two, { room: other, data: 1 }, 'same'));
  ids.push(await published(two, { to: 'someone', data: 1 }, 'same'));
  ids.push(await published(two, { data: 1 }, 'same'));
  for (const one of [bob, ...nobodies]) ids.push(await published(one, { room, data: 1 }, 'same'));
  expect(new Set(ids).size).toBe(7);
});

describe('An Idempotency-Key that is repeated on another pod', () => {
  const again = (first: Answer, second: Answer): void => {
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(second.body['id'] ?? second.body['message_id']).toBe(first.body['id'] ?? first.body['message_id']);
    expect(first.body['id'] ?? first.body['message_id']).toEqual(expect.stringMatching(/./));
  };

  test.each<[string, (room: string, user: string) => [string, Frame]]>([
    ['POST /api/rooms/{room}/messages', (room) => [`/api/rooms/${room}/messages`, { data: 'once' }]],
    ['the same, ephemeral', (room) => [`/api/rooms/${room}/messages`, { data: 'once', ephemeral: true }]],
    ['POST /api/event', (room) => ['/api/event', { channel: room, payload: 'once' }]],
    ['POST /api/users/{user}/messages', (_, user) => [`/api/users/${user}/messages`, { data: 'once' }]],
    ['POST /api/broadcast', (room) => ['/api/broadcast', { event: room, data: 'once' }]],
  ])('gives the first id and publishes nothing: %s', async (_, requestFor) => {
    const [room, user] = [fresh(), fresh('bob')];
    const bobs = [await member(here.a, room, user), await member(here.b, room, user)];
    const [path, body] = requestFor(room, user);
    const headers = { ...KEY, 'Idempotency-Key': room };
    again(await post(here.a, path, body, headers), await post(here.b, path, body, headers));
    await heardIn(room, bobs);
    for (const each of bobs) expect(each.all({ data: 'once' })).toHaveLength(1);
  });

  test('covers a batch as a whole', async () => {
    const room = fresh();
    const bob = await member(here.a, room, 'bob');
    const messages = [{ room, data: 1 }, { room: '!' }, { room, data: 1 }];
    const headers = { ...KEY, 'Idempotency-Key': room };
    const first = await post(here.a, '/api/messages', { messages }, headers);
    const second = await post(here.b, '/api/messages', { messages }, headers);
    expect(first.body).toMatchObject({ results: [{ id: expect.any(String) }, { code: 'invalid_room' }, {}] });
    expect(second.body).toEqual(first.body);
    expect(await heardIn(room, [bob])).toEqual([[1, 1]]);
  });

  test('is one of its API key, and never the ref of a client', async () => {
    const room = fresh();
    const bob = await member(here.b, room, 'bob');
    const path = `/api/rooms/${room}/messages`;
    const key = { 'Idempotency-Key': 'same' };
    await post(here.a, path, { data: 1, from: 'bob' }, { ...KEY, ...key });
    await post(here.b, path, { data: 2, from: 'bob' }, { 'X-API-Key': 'key-2', ...key });
    await published(bob, { room, data: 3 }, 'same');
    expect(await heardIn(room, [bob])).toEqual([[1, 2, 3]]);
  });
});
