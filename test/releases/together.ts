import { connectionId, get, ids, PATIENT, post, said, told } from '../many-pods/world.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FIRST_RELEASE } from './earlier-release.ts';
import { degraded, ready } from '../faults/world.ts';
import { fresh, guest, join, member, numbered, numbers, published, range } from '../integration/people.ts';
import { offline, online, others, state, watchers } from '../many-pods/watching.ts';
import { type Frame, part, refused } from '../support/client.ts';
import { type Engine, isEarlierFirst, type Release, type World } from './world.ts';
import type { PodProcess } from '../support/stack/pods.ts';

/** Where a test begins, and where it goes on: both ways, as in an upgrade and in a rollback. */
const DIRECTIONS: readonly { from: Release; to: Release }[] = [
  { from: 'earlier', to: 'current' },
  { from: 'current', to: 'earlier' },
];

interface FreezableEngine extends Engine {
  freeze(): void;
  thaw(): void;
}

/** What pods of both releases do together on one engine. */
export function releasesTogether(here: World): void {
  historyTests(here);
  describe.each(DIRECTIONS)('From the $from release to the $to one', ({ from, to }) => {
    resumeTests(here, from, to);
    deliveryTests(here, from, to);
    presenceTests(here, from, to);
    directoryTests(here, from, to);
  });
}

function historyTests(here: World): void {
  test('published on both releases at once have one order on both, without gap or duplicate', async () => {
    const room = fresh();
    const members = await watchers(here, room);
    const publishers = await Promise.all(here.pods.map((pod, n) => guest(pod, `publisher-${n}`)));
    for (const n of range(1, 100)) {
      for (const one of publishers) one.send({ type: 'chat', room, data: { n }, ref: `ref-${n}` });
    }
    await Promise.all(publishers.map((one) => one.next({ type: 'ack', ref: 'ref-100' })));
    await here.marked(room, members);
    const [first = [], ...more] = members.map((one) => ids(one, room));
    expect(first).toHaveLength(200 + here.pods.length);
    expect(new Set(first).size).toBe(first.length);
    for (const other of more) expect(other).toEqual(first);
    for (const one of members) {
      for (const n of range(0, publishers.length - 1)) {
        const heard = one.all({ type: 'chat', from: `publisher-${n}` });
        expect(heard.map((frame) => part(frame, 'data')['n'])).toEqual(range(1, 100));
      }
    }
    for (const pod of here.pods) {
      const { body } = await get(pod, `/api/rooms/${room}/history?limit=1000`);
      expect((body['messages'] as { id: string }[]).map(({ id }) => id)).toEqual(first);
    }
  });
}

function resumeTests(here: World, from: Release, to: Release): void {
  const [one, two] = [(): ReturnType<World['of']> => here.of(from), () => here.of(to)];

  test('a client that moves, and moves back, resumes after its last message', async () => {
    const room = fresh();
    const publishers = [await guest(one()), await guest(two())] as const;
    const before = await member(one(), room, 'alice');
    await numbered(publishers[0], room, 1, 3);
    const last = (await before.next({ data: { n: 3 } }))['id'];
    await before.close(1000);
    await numbered(publishers[0], room, 4, 5);
    await numbered(publishers[1], room, 6, 7);

    const moved = await guest(two(), 'alice');
    expect(await join(moved, room, { last_id: last })).toMatchObject({
      data: { recovered: true, replayed: 4 },
    });
    await numbered(publishers[1], room, 8, 9);
    const newest = (await moved.next({ data: { n: 9 } }))['id'];
    expect(numbers(moved, room)).toEqual(range(4, 9));
    await moved.close(1000);
    await numbered(publishers[1], room, 10, 11);
    await numbered(publishers[0], room, 12, 13);

    const back = await guest(one(), 'alice');
    expect(await join(back, room, { last_id: newest })).toMatchObject({
      data: { recovered: true, replayed: 4 },
    });
    expect(numbers(back, room)).toEqual(range(10, 13));
  });

  test('a client resumes in a room where nothing was published before it moved', async () => {
    const room = fresh();
    const before = await guest(one(), 'alice');
    const position = part(await join(before, room), 'data')['position'];
    await before.close(1000);
    const moved = await guest(two(), 'alice');
    const joined = await join(moved, room, { last_id: position });
    expect(joined).toMatchObject({ data: { recovered: true, replayed: 0 } });
    await moved.close(1000);
    await numbered(await guest(one()), room, 1, 2);
    await numbered(await guest(two()), room, 3, 4);
    for (const pod of here.pods) {
      const back = await guest(pod, 'alice');
      const again = await join(back, room, { last_id: part(joined, 'data')['position'] });
      expect(again).toMatchObject({ data: { recovered: true, replayed: 4 } });
      expect(numbers(back, room)).toEqual(range(1, 4));
    }
  });

  test('a position of one room is recognized after many messages of the other release', async () => {
    const room = fresh();
    const [first] = await numbered(await guest(one()), room, 1, 1);
    await numbered(await guest(two()), room, 2, 150);
    for (const pod of here.pods) {
      const { body } = await get(pod, `/api/rooms/${room}/history?after=${String(first)}&limit=1000`);
      expect(body).toMatchObject({ recovered: true });
      expect(body['messages']).toHaveLength(149);
    }
  });
}

function deliveryTests(here: World, from: Release, to: Release): void {
  const [one, two] = [(): ReturnType<World['of']> => here.of(from), () => here.of(to)];

  test('a message that is sent again with its ref is stored once', async () => {
    const room = fresh();
    const members = await watchers(here, room);
    const frame = { type: 'chat', room, data: 'once' };
    const id = await published(await guest(one(), 'alice'), frame, 'same');
    expect(await published(await guest(two(), 'alice'), frame, 'same')).toBe(id);
    const key = { 'Idempotency-Key': fresh('key') };
    const { body } = await post(one(), `/api/rooms/${room}/messages`, { data: 'http' }, key);
    expect(await post(two(), `/api/rooms/${room}/messages`, { data: 'http' }, key)).toMatchObject({
      body: { id: body['id'] },
    });
    await here.marked(room, members);
    for (const each of members) expect(ids(each, room).slice(0, 2)).toEqual([id, body['id']]);
    for (const each of members) expect(ids(each, room)).toHaveLength(2 + here.pods.length);
  });

  test('ephemeral messages are delivered once, also when they are sent again with their ref', async () => {
    const room = fresh();
    const members = await watchers(here, room);
    const frame = { type: 'chat', room, event: 'typing', data: 'fleeting', ephemeral: true };
    const id = await published(await guest(one(), 'alice'), frame, 'same');
    for (const each of members) await each.next({ id });
    expect(await published(await guest(two(), 'alice'), frame, 'same')).toBe(id);
    await here.marked(room, members);
    for (const each of members) expect(each.all({ event: 'typing' })).toMatchObject([{ id, from: 'alice' }]);
  });

  test('direct and global messages are delivered once', async () => {
    const [name, event] = [fresh('bob'), fresh('event')];
    const alice = await guest(one(), 'alice');
    const bobs = [await guest(two(), name), await guest(one(), name)];
    await published(alice, { to: name, data: 'to the user' });
    await published(alice, { event, data: 'to everybody' });
    for (const bob of bobs) await published(alice, { to: `conn:${connectionId(bob)}`, data: 'to one' });
    for (const bob of bobs) {
      await bob.next({ data: 'to one' });
      expect(bob.all({ data: 'to the user' })).toMatchObject([{ from: 'alice' }]);
      await bob.next({ event });
      expect(bob.all({ event })).toMatchObject([{ data: 'to everybody' }]);
    }
    // A user id that envelopes have to escape.
    const escaped = await guest(two(), encodeURIComponent(`${name} ü%`));
    await published(alice, { to: `${name} ü%`, data: 'escaped' });
    await escaped.next({ data: 'escaped' });
  });

  test('users and connections are disconnected over HTTP', async () => {
    const name = fresh('carol');
    const [first, second] = [await guest(two(), name), await guest(two(), name)];
    await post(one(), `/api/connections/${connectionId(first)}/disconnect`, { reason: 'one' });
    expect(await first.closed).toEqual({ code: 4403, reason: 'one' });
    await post(one(), `/api/users/${name}/disconnect`, { reason: 'all of them' });
    expect(await second.closed).toEqual({ code: 4403, reason: 'all of them' });
  });
}

function presenceTests(here: World, from: Release, to: Release): void {
  const [one, two] = [(): ReturnType<World['of']> => here.of(from), () => here.of(to)];

  test('a user who joins, changes and leaves is shown on both', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const bob = await member(one(), room, 'bob');
    const saying = { status: 'away', meta: { text: 'für "dich" }', list: [1] } };
    await state(bob, room, saying);
    for (const each of all) await each.next({ type: 'presence', from: 'bob', data: saying });
    expect(await others(here, room)).toMatchObject({ bob: saying });
    await bob.close(1000);
    for (const each of all) await each.next(offline('bob'));
    expect(await others(here, room)).toEqual({});
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'away', 'offline']);
  });

  test('a user with tabs on both leaves with the last', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const [first, second] = [await member(one(), room, 'bob'), await member(two(), room, 'bob')];
    const sayings = [
      { status: 'away', meta: { by: 1 } },
      { status: 'online', meta: { by: 2 } },
    ];
    await state(first, room, sayings[0] ?? {});
    await state(second, room, sayings[1] ?? {});
    for (const each of all) await each.next({ type: 'presence', from: 'bob', data: sayings[1] ?? {} });
    expect(await others(here, room)).toMatchObject({ bob: sayings[1] });
    await first.close(1000);
    await here.marked(room, all);
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
    await second.close(1000);
    for (const each of all) await each.next(offline('bob'));
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'away', 'online', 'offline']);
  });

  test('a user who loses a connection and returns on the other release does not leave', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const bob = await member(one(), room, 'bob');
    await bob.terminate();
    const back = await guest(two(), 'bob');
    const { data } = bob.frames.findLast(({ event }) => event === 'joined') as { data: { position: string } };
    await join(back, room, { last_id: data.position });
    await expect.poll(() => others(here, room), PATIENT).toMatchObject({ bob: {} });
    await back.close(1000);
    for (const each of all) await each.next(offline('bob'));
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'offline']);
    expect(await others(here, room)).toEqual({});
  });
}

function directoryTests(here: World, from: Release, to: Release): void {
  const [one, two] = [(): ReturnType<World['of']> => here.of(from), () => here.of(to)];

  test('rooms are listed with the connections of both', async () => {
    const room = fresh('listed');
    const clients = [await member(one(), room, 'alice'), await member(two(), room, 'bob')];
    const listed = async (): Promise<unknown[]> =>
      Promise.all(here.pods.map(async (pod) => (await get(pod, `/api/rooms?prefix=${room}`)).body['rooms']));
    const each = (rooms: unknown): unknown[] => here.pods.map(() => rooms);
    await expect.poll(listed, PATIENT).toEqual(each([{ room, connections: 2 }]));
    await clients[0]?.close(1000);
    await expect.poll(listed, PATIENT).toEqual(each([{ room, connections: 1 }]));
    await clients[1]?.close(1000);
    await expect.poll(listed, PATIENT).toEqual(each([]));
  });

  test('the limit of connections per user counts those of both', async () => {
    const name = fresh('greta');
    const clients = [await guest(one(), name), await guest(two(), name), await guest(one(), name)];
    for (const pod of here.pods) {
      expect(await refused(pod, `/ws?user_id=${name}`)).toMatchObject({ status: 429 });
    }
    await clients[0]?.close(1000);
    await expect.poll(() => guest(two(), name).catch(() => undefined), PATIENT).toBeDefined();
    expect(await refused(one(), `/ws?user_id=${name}`)).toMatchObject({ status: 429 });
  });

  test('a killed pod no longer counts', async () => {
    const [room, name] = [fresh('counted'), fresh('hanna')];
    const doomed = await here.pod(from);
    for (const _ of range(1, 3)) await member(doomed, room, name);
    expect(await refused(two(), `/ws?user_id=${name}`)).toMatchObject({ status: 429 });
    await doomed.kill();
    const listed = async (): Promise<unknown[]> =>
      Promise.all(here.pods.map(async (pod) => (await get(pod, `/api/rooms?prefix=${room}`)).body['rooms']));
    await expect.poll(listed, PATIENT).toEqual(here.pods.map(() => []));
    await expect.poll(() => guest(two(), name).catch(() => undefined), PATIENT).toBeDefined();
  });
}

/** What the members of a pod that dies see on the other release, and what those of its own release see. */
export function killedPodTest(here: World, releases: readonly Release[]): void {
  test.each(releases)(
    'the members of a killed %s pod leave once, except those with another tab',
    async (release) => {
      const room = fresh();
      const all = await watchers(here, room);
      const doomed = await here.pod(release);
      await member(doomed, room, 'bob');
      await member(doomed, room, 'carol');
      const tab = await member(here.of(release === 'earlier' ? 'current' : 'earlier'), room, 'carol');
      for (const each of all) for (const user of ['bob', 'carol']) await each.next(online(user));
      await doomed.kill();
      await Promise.all(all.map((each) => each.next(offline('bob'))));
      await expect.poll(() => others(here, room), PATIENT).toEqual({ carol: expect.anything() });
      await tab.close(1000);
      for (const each of all) await each.next(offline('carol'));
      await here.marked(room, all);
      for (const each of all) {
        for (const user of ['bob', 'carol']) expect(told(each, user, room)).toEqual(['online', 'offline']);
      }
    },
  );
}

/** A message that members of one pod had while the engine was unavailable, and that clients read later. */
export function outageTest(here: World<FreezableEngine>): void {
  /** Publishes on one pod during an outage; gives each pod's copy of it in the history, and how a member had it. */
  async function publishDuringOutage(pod: PodProcess): Promise<{ early: Frame; id: unknown; late: Frame[] }> {
    const room = fresh();
    const [alice, bob] = [await member(pod, room, 'alice'), await member(pod, room, 'bob')];
    const position = part(bob.all({ event: 'joined' })[0] ?? {}, 'data')['position'];
    here.engine.freeze();
    onTestFinished(() => here.engine.thaw());
    await degraded(...here.pods);
    alice.send({ type: 'chat', room, data: 'provisional', ref: 'one' });
    const early = await bob.next({ type: 'chat', data: 'provisional' });
    here.engine.thaw();
    const { id } = await alice.next({ type: 'ack', ref: 'one' });
    await ready(...here.pods);
    const late: Frame[] = [];
    for (const reader of here.pods) {
      const back = await guest(reader, 'bob');
      expect(await join(back, room, { last_id: position })).toMatchObject({ data: { recovered: true } });
      late.push(...back.all({ data: 'provisional' }));
    }
    return { early, id, late };
  }

  test.each(isEarlierFirst ? (['earlier'] as const) : (['earlier', 'current'] as const))(
    'a message that an %s pod delivered provisionally names its provisional id on both',
    async (release) => {
      const { early, id, late } = await publishDuringOutage(here.of(release));
      expect(early).toMatchObject({ provisional: true });
      const expected = { id, provisional_id: early['id'] };
      expect(late).toMatchObject([expected, expected]);
    },
  );
}

/** CHANGELOG.md: what 0.1.0 and this version cannot do together. */
export function provisionalIdTest(here: World): void {
  test('a 0.1.0 pod does not name the provisional id of a message that a current pod stored', async () => {
    const room = fresh();
    const first = await here.pod(FIRST_RELEASE);
    const id = await said(here.of('current'), room, { data: 1 });
    const messagesOn = async (pod: PodProcess): Promise<Frame[]> =>
      (await get(pod, `/api/rooms/${room}/history`)).body['messages'] as Frame[];
    expect(await messagesOn(here.of('current'))).toMatchObject([{ id, provisional_id: expect.any(String) }]);
    const [read] = await messagesOn(first);
    expect(read).toMatchObject({ id });
    expect(read).not.toHaveProperty('provisional_id');
  });
}
