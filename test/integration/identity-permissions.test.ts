import { afterAll, describe, expect, test } from 'vitest';
import { type Client, type Frame, open, part, refused } from '../support/client.ts';
import { startPod } from '../support/pod.ts';
import { SECRET, signedIn } from '../support/tokens.ts';
import { fresh, join, numbered, numbers, published, settledChannel } from './people.ts';

const pod = await startPod({ JWT_SECRET: SECRET });
afterAll(() => pod.stop());

/** Of the message dialect, in no room; without permissions the token has no claim. */
async function person(user: string, permissions?: readonly string[]): Promise<Client> {
  const headers = await signedIn({ sub: user, permissions });
  const client = await open(pod, '/ws?dialect=message', { headers });
  await client.next({ event: 'connected' });
  return client;
}

async function listener(user: string, permissions?: readonly string[]): Promise<Client> {
  return open(pod, '/ws', {
    protocols: ['crosspod.channel.v1'],
    headers: await signedIn({ sub: user, permissions }),
  });
}

/** Sends a frame of either dialect: `done`, or the code of the error. */
async function outcome(client: Client, frame: Frame): Promise<unknown> {
  const ref = fresh('ref');
  client.send({ ...frame, ref });
  const answer = await client.next({ ref });
  if (answer['type'] !== 'error') return 'done';
  return (answer['data'] as Frame | undefined)?.['code'] ?? answer['code'];
}

/** What each dialect sends to do something in a room; none where the dialect cannot. */
const COMMANDS: Record<string, Record<string, (name: string) => Frame>> = {
  message: {
    join: (room) => ({ type: 'join', room }),
    publish: (room) => ({ type: 'chat', room, data: 1 }),
    notify: (room) => ({ type: 'notification', room, data: 1 }),
    'publish ephemerally': (room) => ({ type: 'chat', room, data: 1, ephemeral: true }),
    'publish globally': () => ({ type: 'chat', data: 1 }),
    'notify globally': () => ({ type: 'notification', data: 1 }),
    'publish directly': (name) => ({ type: 'chat', to: name, data: 1 }),
    'publish to a connection': (name) => ({ type: 'chat', to: `conn:${name}`, data: 1 }),
  },
  channel: {
    join: (channel) => ({ type: 'subscribe', channel }),
    publish: (channel) => ({ type: 'broadcast', channel, payload: 1 }),
    'publish globally': () => ({ type: 'broadcast', channel: '@global', payload: 1 }),
    presence_join: (channel) => ({ type: 'presence_join', channel, payload: {} }),
    presence_update: (channel) => ({ type: 'presence_update', channel, payload: {} }),
  },
};

const CONNECT: Record<string, typeof person> = { message: person, channel: listener };

type Case = [what: string, permissions: readonly string[] | undefined, may: string[], mayNot: string[]];

const JOINING: Case[] = [
  ['a name', ['join:lobby'], ['lobby'], ['lobby2', 'lobb', 'Lobby', 'x-lobby']],
  ['everything', ['join:*'], ['lobby', 'a.b:c@d_e-f'], []],
  ['a beginning', ['join:team-*'], ['team-', 'team-a', 'team-a-b'], ['team', 'xteam-a', 'Team-a']],
  ['an end', ['join:*-news'], ['a-news', 'a-b-news'], ['news', 'a-news-b', 'a-newss']],
  ['a middle', ['join:team-*-news'], ['team-a-news', 'team-a-b-news', 'team--news'], ['team-news', 'team-a']],
  [
    'letters that two parts of a pattern would have to share',
    ['join:a*b*b'],
    ['abb', 'a1b2b', 'abcbb'],
    ['ab', 'a-b', 'abba'],
  ],
  ['several stars', ['join:a*b*c'], ['abc', 'a1b2c', 'abbcc', 'abcbc'], ['acb', 'ab', 'a-c', 'abcd']],
  ['a dot, which is only a dot', ['join:a.c'], ['a.c'], ['abc', 'a-c']],
  ['the own id', ['join:user-{user}'], ['user-alice'], ['user-bob', 'user-', 'user-alice2']],
  [
    'the own id twice and a star',
    ['join:{user}.*.{user}'],
    ['alice.x.alice'],
    ['alice.x.bob', 'alice.alice'],
  ],
  ['several rules', ['join:a', 'publish:b', 'join:c-*'], ['a', 'c-1'], ['b', 'c']],
  ['any action', ['*:lobby'], ['lobby'], ['other']],
  ['any action anywhere', ['*:*'], ['lobby'], []],
  ['the same twice', ['join:a', 'join:a'], ['a'], ['b']],
  ['other actions only', ['publish:*', 'presence:*', 'history:*', 'api:*'], [], ['lobby']],
  ['what is no room', ['join:@global', 'join:@*'], [], ['lobby', 'global']],
  ['nothing', [], [], ['lobby', 'user-alice']],
  ['no claim at all', undefined, ['lobby', 'user-bob'], []],
];

describe('With permissions for', () => {
  test.each(JOINING)('%s: %o, an upgrade with a room is granted or answered 403', async (_, may, yes, no) => {
    const headers = await signedIn({ sub: 'alice', permissions: may });
    for (const room of yes) {
      const client = await open(pod, `/ws/${room}`, { headers });
      await client.next({ event: 'joined', room });
    }
    for (const address of no.flatMap((room) => [`/ws/${room}`, `/ws?room=${room}`])) {
      const { status, body } = await refused(pod, address, headers);
      expect([address, status, body['code']]).toEqual([address, 403, 'forbidden']);
    }
  });

  test.each(JOINING)('%s: %o, join and subscribe are done or forbidden', async (_, may, yes, no) => {
    for (const client of [await person('alice', may), await listener('alice', may)]) {
      const command =
        client.ws.protocol === '' ? COMMANDS['message']?.['join'] : COMMANDS['channel']?.['join'];
      for (const room of yes)
        expect([room, await outcome(client, command?.(room) ?? {})]).toEqual([room, 'done']);
      for (const room of no) {
        expect([room, await outcome(client, command?.(room) ?? {})]).toEqual([room, 'forbidden']);
      }
    }
  });
});

const PUBLISHING: [string, string, readonly string[] | undefined, string[], string[]][] = [
  ['message', 'publish', ['publish:team-*-news'], ['team-a-news'], ['team-a', 'other']],
  ['message', 'publish', ['publish:{user}'], ['alice'], ['bob']],
  ['message', 'publish', ['*:lobby'], ['lobby'], ['other']],
  ['message', 'publish', ['join:*', 'presence:*', 'history:*', 'api:*'], [], ['lobby']],
  ['message', 'publish', ['publish:@global', 'publish:@direct'], [], ['lobby', 'global', 'direct']],
  ['message', 'publish', undefined, ['lobby'], []],
  ['message', 'notify', ['publish:lobby'], ['lobby'], ['other']],
  ['message', 'publish ephemerally', ['publish:lobby'], ['lobby'], ['other']],
  ['message', 'publish globally', ['publish:@global'], ['-'], []],
  ['message', 'publish globally', ['*:@global'], ['-'], []],
  ['message', 'publish globally', ['publish:*'], [], ['-']],
  ['message', 'publish globally', ['*:*'], [], ['-']],
  ['message', 'publish globally', ['publish:global', 'publish:*global', 'join:@global'], [], ['-']],
  ['message', 'publish globally', ['publish:@direct'], [], ['-']],
  ['message', 'publish globally', [], [], ['-']],
  ['message', 'publish globally', undefined, [], ['-']],
  ['message', 'notify globally', ['publish:@global'], ['-'], []],
  ['message', 'notify globally', undefined, [], ['-']],
  ['message', 'publish directly', ['publish:@direct'], ['alice', 'bob'], []],
  ['message', 'publish directly', ['publish:*'], [], ['alice', 'bob']],
  ['message', 'publish directly', ['publish:@global', 'publish:bob'], [], ['bob']],
  ['message', 'publish directly', undefined, [], ['alice', 'bob']],
  ['message', 'publish to a connection', ['publish:@direct'], ['x'], []],
  ['message', 'publish to a connection', undefined, [], ['x']],
  ['channel', 'publish', ['publish:team-*-news'], ['team-a-news'], ['team-a', 'other']],
  ['channel', 'publish', undefined, ['lobby'], []],
  ['channel', 'publish', [], [], ['lobby']],
  ['channel', 'publish globally', ['publish:@global'], ['-'], []],
  ['channel', 'publish globally', undefined, [], ['-']],
  ['channel', 'publish globally', ['*:*'], [], ['-']],
  ['channel', 'presence_join', ['presence:a*'], ['a', 'ab'], ['b']],
  ['channel', 'presence_join', ['join:*', 'publish:*', 'history:*'], [], ['b']],
  ['channel', 'presence_update', ['presence:{user}'], ['alice'], ['bob']],
  ['channel', 'presence_update', undefined, ['bob'], []],
];

test.each(PUBLISHING)(
  'A client of the %s dialect may or may not %s with %o',
  async (dialect, what, permissions, yes, no) => {
    const client = await CONNECT[dialect]?.('alice', permissions);
    const command = COMMANDS[dialect]?.[what];
    if (client === undefined || command === undefined) throw new Error(`no ${what} in ${dialect}`);
    for (const name of yes) expect([name, await outcome(client, command(name))]).toEqual([name, 'done']);
    for (const name of no) expect([name, await outcome(client, command(name))]).toEqual([name, 'forbidden']);
  },
);

describe('What is forbidden', () => {
  test('reaches nobody, and the connection stays', async () => {
    const room = fresh();
    const bob = await person('bob', ['*:*', '*:@*']);
    await join(bob, room);
    const alice = await person('alice', []);
    for (const frame of [{ room }, {}, { to: 'bob' }]) {
      expect(await outcome(alice, { ...frame, event: 'forbidden', data: 1 })).toBe('forbidden');
    }
    for (const frame of [{ room }, {}, { to: 'bob' }]) {
      await published(bob, { ...frame, event: 'permitted', data: 1 });
      await bob.next({ event: 'permitted' });
    }
    expect(bob.all({ event: 'forbidden' })).toEqual([]);
  });

  test('is told to an old client of the channel dialect only if it asks', async () => {
    const [room, marker] = [fresh(), 'marker'];
    const old = await open(pod, '/ws', {
      headers: await signedIn({ sub: 'alice', permissions: [`*:${marker}*`] }),
    });
    old.send({ type: 'broadcast', channel: room, payload: 1 });
    await settledChannel(old);
    expect(old.all((frame) => frame['type'] === 'error')).toEqual([]);
    old.send({ type: 'broadcast', channel: room, payload: 1, ref: 'r' });
    expect(await old.next({ ref: 'r' })).toMatchObject({ type: 'error', channel: room, code: 'forbidden' });
  });

  test('names the room in its error', async () => {
    const room = fresh();
    const alice = await person('alice', []);
    alice.send({ type: 'join', room, ref: 'j' });
    expect(await alice.next({ ref: 'j' })).toMatchObject({
      type: 'error',
      room,
      data: { code: 'forbidden', error: expect.stringMatching(/./) },
    });
  });

  test('a publication may be sent again with its ref once it is permitted', async () => {
    const room = fresh();
    const [may, mayNot] = [await person('alice'), await person('alice', [])];
    mayNot.send({ type: 'chat', room, data: 1, ref: 'same' });
    await mayNot.next({ type: 'error', ref: 'same' });
    await join(may, room);
    await published(may, { type: 'chat', room, data: 1 }, 'same');
    await may.next({ type: 'chat', room, data: 1 });
  });

  test('does not hinder leaving', async () => {
    const alice = await person('alice', ['join:*']);
    const room = fresh();
    await join(alice, room);
    alice.send({ type: 'leave', room });
    await alice.next({ event: 'left', room });
  });
});

test('Without any permission one still hears what is for everybody, and direct messages', async () => {
  const admin = await person('admin', ['*:*', '*:@*']);
  const alice = await person('alice', []);
  await published(admin, { event: 'everywhere', data: 1 });
  await published(admin, { to: 'alice', event: 'directly', data: 1 });
  await alice.next({ event: 'everywhere' });
  await alice.next({ event: 'directly' });
});

test('{user} does not let a user name act as a pattern', async () => {
  const star = await person('*', ['*:{user}', '*:room-{user}-*']);
  for (const room of ['lobby', 'room-x-y']) {
    expect(await outcome(star, { type: 'join', room })).toBe('forbidden');
    expect(await outcome(star, { type: 'chat', room, data: 1 })).toBe('forbidden');
  }
  const brackets = await person('{user}', ['join:{user}']);
  expect(await outcome(brackets, { type: 'join', room: 'user' })).toBe('forbidden');
});

describe('Without permission for the presence', () => {
  const blind = ['join:*', 'publish:*', 'history:*'];

  test('one is not shown the members nor their coming, going and changing', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const bob = await person('bob');
    await join(bob, room);
    const alice = await person(user, blind);
    const { members = [] } = part(await join(alice, room), 'data');
    expect(members).toEqual([]);
    const carol = await person('carol');
    await join(carol, room);
    carol.send({ type: 'presence', room, data: { status: 'away' } });
    carol.send({ type: 'leave', room });
    await bob.next({ type: 'presence', from: 'carol', data: { status: 'offline' } });
    await published(bob, { type: 'chat', room, data: 'marker' });
    await alice.next({ data: 'marker' });
    expect(alice.all({ type: 'presence' })).toEqual([]);
  });

  test('one is not shown it in the channel dialect either', async () => {
    const room = fresh();
    const bob = await person('bob');
    await join(bob, room);
    const alice = await listener(fresh('alice'), blind);
    alice.send({ type: 'subscribe', channel: room, listen: ['broadcast', 'presence'], ref: 's' });
    await alice.next({ ref: 's' });
    await join(await person('carol'), room);
    await bob.next({ type: 'presence', from: 'carol' });
    await published(bob, { type: 'chat', room, data: 'marker' });
    await alice.next({ payload: 'marker' });
    expect(alice.all((frame) => String(frame['type']).startsWith('presence'))).toEqual([]);
  });

  test('one cannot say how one is', async () => {
    const room = fresh();
    const alice = await person('alice', blind);
    await join(alice, room);
    for (const status of ['online', 'away', 'offline']) {
      expect(await outcome(alice, { type: 'presence', room, data: { status } })).toBe('forbidden');
    }
  });

  test('one is still shown to others', async () => {
    const [room, user] = [fresh(), fresh('alice')];
    const bob = await person('bob');
    await join(bob, room);
    const alice = await person(user, blind);
    await join(alice, room);
    await bob.next({ type: 'presence', from: user, data: { status: 'online' } });
    const carol = await person('carol');
    expect(part(await join(carol, room), 'data')['members']).toEqual(
      expect.arrayContaining([expect.objectContaining({ user_id: user, status: 'online' })]),
    );
    await alice.close(1000);
    await bob.next({ type: 'presence', from: user, data: { status: 'offline' } });
  });

  test('in one room it is still there in another', async () => {
    const [room, other] = [fresh(), fresh()];
    const alice = await person('alice', ['join:*', `presence:${other}`]);
    expect(part(await join(alice, other), 'data')['members']).toMatchObject([{ user_id: 'alice' }]);
    expect(part(await join(alice, room), 'data')['members'] ?? []).toEqual([]);
    expect(await outcome(alice, { type: 'presence', room: other, data: { status: 'away' } })).toBe('done');
    expect(await outcome(alice, { type: 'presence', room, data: { status: 'away' } })).toBe('forbidden');
  });
});

describe('Without permission for the history', () => {
  const forgetful = ['join:*', 'publish:*', 'presence:*'];

  test.each(['history', 'last_id'])(
    'a join with %s replays nothing and never says recovered',
    async (how) => {
      const room = fresh();
      const [first] = await numbered(await person('bob'), room, 1, 5);
      const asked = how === 'history' ? { history: 10 } : { last_id: first };
      const alice = await person('alice', forgetful);
      alice.send({ type: 'join', room, ...asked, ref: 'j' });
      const answer = await alice.next({ ref: 'j' });
      expect((answer['data'] as Frame)['recovered']).not.toBe(true);
      await published(alice, { type: 'chat', room, data: { n: 'marker' } });
      await alice.next({ data: { n: 'marker' } });
      expect(numbers(alice, room)).toEqual(['marker']);
    },
  );

  test.each(['history', 'last_id'])('a subscribe with %s replays nothing', async (how) => {
    const room = fresh();
    const bob = await person('bob');
    const [first] = await numbered(bob, room, 1, 5);
    const asked = how === 'history' ? { history: 10 } : { last_id: first };
    const alice = await listener('alice', forgetful);
    alice.send({ type: 'subscribe', channel: room, ...asked, ref: 's' });
    expect((await alice.next({ ref: 's' }))['recovered']).not.toBe(true);
    await published(bob, { type: 'chat', room, data: { n: 'marker' } });
    await alice.next({ payload: { n: 'marker' } });
    expect(alice.all({ type: 'broadcast' }).map(({ payload }) => payload)).toEqual([{ n: 'marker' }]);
  });

  test.each(['history=10', 'last_id='])('an address with %s replays nothing', async (asked) => {
    const room = fresh();
    const [first] = await numbered(await person('bob'), room, 1, 5);
    const query = asked === 'last_id=' ? `last_id=${first}` : asked;
    const headers = await signedIn({ sub: 'alice', permissions: forgetful });
    const alice = await open(pod, `/ws/${room}?${query}`, { headers });
    const answer = await alice.next({ event: 'joined' });
    expect(part(answer, 'data')['recovered']).not.toBe(true);
    await published(alice, { data: { n: 'marker' } });
    await alice.next({ data: { n: 'marker' } });
    expect(numbers(alice, room)).toEqual(['marker']);
  });

  test('in one room it is still there in another', async () => {
    const [room, other] = [fresh(), fresh()];
    const bob = await person('bob');
    await numbered(bob, room, 1, 3);
    const [first] = await numbered(bob, other, 1, 3);
    const alice = await person('alice', ['join:*', 'publish:*', `history:${other}`]);
    expect(part(await join(alice, other, { last_id: first }), 'data')).toMatchObject({
      recovered: true,
      replayed: 2,
    });
    await join(alice, room, { history: 10 });
    await published(alice, { room, data: { n: 'marker' } });
    await alice.next({ data: { n: 'marker' } });
    expect([numbers(alice, other), numbers(alice, room)]).toEqual([[2, 3], ['marker']]);
  });
});
