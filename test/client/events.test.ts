import { expect, test } from 'vitest';
import type { CrosspodError } from '../../src/client/client.ts';
import { settled } from './fake-clock.ts';
import { fakeClient } from './fake-platform.ts';

/** A client that is connected; what it sends is in `sent`. */
async function connected() {
  const it = fakeClient();
  await settled();
  it.platform.newest.welcomes();
  const { sent } = it.platform.newest as { sent: { type: string; ref: string; room?: string }[] };
  return { ...it, socket: it.platform.newest, sent };
}

type Connected = Awaited<ReturnType<typeof connected>>;

/** The server lets it into the room whose join was sent last. */
function admit({ socket, sent }: Connected, data: object = {}): void {
  const join = sent.findLast(({ type }) => type === 'join');
  const joined = { position: '0', count: 0, members: [], ...data };
  socket.says({ type: 'system', event: 'joined', room: join?.room, ref: join?.ref, data: joined });
}

function message(id: string, more: object): object {
  return { type: 'chat', id, from: 'bob', data: id, timestamp: '2026-01-01T00:00:00.000Z', ...more };
}

test('whoever listens to a room is in it, once, with the options of a join in the same turn', async () => {
  const it = await connected();
  const room = it.client.room('r');
  room.on('chat', () => {});
  room.onMembers(() => {});
  const joined = room.join({ history: 20 });
  await settled();
  expect(it.sent).toEqual([{ type: 'join', room: 'r', history: 20, ref: expect.any(String) }]);
  admit(it);
  await joined;
});

test.each(['on', 'onMessage', 'onPresence', 'onMembers'] as const)('%s alone is enough', async (method) => {
  const { client, sent } = await connected();
  const room = client.room('r');
  if (method === 'on') room.on('chat', () => {});
  else room[method](() => {});
  await settled();
  expect(sent).toMatchObject([{ type: 'join', room: 'r' }]);
});

test('whoever only sends, or listens to what happens to a membership, is not', async () => {
  const { client, sent } = await connected();
  const room = client.room('r');
  room.onJoined(() => {});
  room.onLeft(() => {});
  room.onUnrecovered(() => {});
  void room.send(1).catch(() => {});
  await settled();
  expect(sent.map(({ type }) => type)).toEqual(['chat']);
});

test('whoever listens and leaves in one turn was never there', async () => {
  const { client, sent } = await connected();
  const room = client.room('r');
  room.on('chat', () => {});
  room.leave();
  await settled();
  expect(sent).toEqual([]);
});

test('whoever listens hears what is sent in the same turn', async () => {
  const { client, sent } = await connected();
  const room = client.room('r');
  room.on('chat', () => {});
  room.send('hi').catch(() => {});
  await settled();
  expect(sent.map(({ type }) => type)).toEqual(['join', 'chat']);
});

test.each(['leaves', 'is taken out', 'is closed'])(
  'when the client %s there are no members any more',
  async (how) => {
    const it = await connected();
    const room = it.client.room('r');
    const counts: number[] = [];
    room.onMembers((members, count) => counts.push(members.length, count));
    await settled();
    admit(it, { count: 3, members: [{ user_id: 'a' }] });
    if (how === 'leaves') room.leave();
    else if (how === 'is closed') it.client.close();
    else it.socket.says({ type: 'system', event: 'left', room: 'r' });
    expect(counts).toEqual([1, 3, 0, 0]);
  },
);

test('whoever leaves and listens again comes again', async () => {
  const it = await connected();
  const room = it.client.room('r');
  const off = room.on('chat', () => {});
  await settled();
  admit(it);
  off();
  room.leave();
  room.on('chat', () => {});
  await settled();
  expect(it.sent.map(({ type }) => type)).toEqual(['join', 'leave', 'join']);
});

test('messages come by the name of their event, or else by that of their type', async () => {
  const it = await connected();
  const room = it.client.room('r');
  const heard: string[] = [];
  for (const event of ['chat', 'notification', 'typing', 'joined', '__proto__', 'constructor']) {
    room.on(event, ({ id }) => heard.push(`${event} ${id}`));
  }
  room.onMessage(({ id }) => heard.push(`any ${id}`));
  await settled();
  admit(it);
  const said = [
    message('1', {}),
    message('2', { type: 'notification' }),
    message('3', { event: 'typing' }),
    message('4', { type: 'notification', event: 'joined' }),
    message('5', { event: '__proto__' }),
    message('6', { event: 'unheard' }),
  ];
  for (const one of said) it.socket.says({ ...one, room: 'r' });
  expect(heard.filter((one) => !one.startsWith('any'))).toEqual([
    'chat 1',
    'notification 2',
    'typing 3',
    'joined 4',
    '__proto__ 5',
  ]);
  expect(heard.filter((one) => one.startsWith('any'))).toHaveLength(6);
});

test('direct and global messages come by their events too', async () => {
  const { client, socket } = await connected();
  const heard: unknown[] = [];
  client.on('order.paid', ({ data }) => heard.push(data));
  client.onMessage(({ id }) => heard.push(id));
  socket.says(message('1', { event: 'order.paid' }));
  socket.says(message('2', {}));
  expect(heard).toEqual(['1', '1', '2']);
});

test('what is sent names its event, its receiver and whether it is kept', async () => {
  const { client, sent } = await connected();
  const room = client.room('r');
  const sends = [
    room.send({ a: 1 }),
    room.send(2, { event: 'typing', ephemeral: true }),
    room.send(3, { event: 'notification' }),
    room.send(4, { event: 'chat', ephemeral: false }),
    client.sendTo('bob', 5, { event: 'order' }),
    client.broadcast(6),
  ];
  for (const send of sends) send.catch(() => {});
  const ref = expect.any(String);
  expect(sent).toEqual([
    { type: 'chat', room: 'r', data: { a: 1 }, ref },
    { type: 'chat', event: 'typing', ephemeral: true, room: 'r', data: 2, ref },
    { type: 'notification', room: 'r', data: 3, ref },
    { type: 'chat', room: 'r', data: 4, ref },
    { type: 'chat', event: 'order', to: 'bob', data: 5, ref },
    { type: 'chat', data: 6, ref },
  ]);
});

test('a listener that was taken away hears nothing; one that was added twice hears twice', async () => {
  const { client, socket } = await connected();
  let heard = 0;
  const listener = (): void => void (heard += 1);
  const off = client.onMessage(listener);
  client.onMessage(listener);
  socket.says(message('1', {}));
  off();
  off();
  socket.says(message('2', {}));
  expect(heard).toBe(3);
});

test('a list that comes in mid-connection takes the place of the one there was', async () => {
  const it = await connected();
  const room = it.client.room('r');
  room.onMembers(() => {});
  await settled();
  admit(it, { count: 2, members: [{ user_id: 'a' }, { user_id: 'b' }] });
  const before = room.members;
  expect(room.members).toBe(before);
  const census = { count: 3, members: [{ user_id: 'b' }, { user_id: 'c' }] };
  it.socket.says({ type: 'system', event: 'members', room: 'r', data: census });
  expect(room.members.map(({ user_id: user }) => user)).toEqual(['b', 'c']);
  expect(room.count).toBe(3);
  it.socket.says({ type: 'system', event: 'members', room: 'r', data: { count: 7 } });
  expect([room.members.length, room.count]).toEqual([2, 7]);
});

test('a refusal that nobody waits for is the room’s, or the client’s error, or at least a warning', async () => {
  const it = await connected();
  const refuse = (code: string): void =>
    it.socket.says({ type: 'error', ref: it.sent.at(-1)?.ref, data: { code, error: code } });
  const silent = it.client.room('silent');
  silent.on('chat', () => {});
  await settled();
  refuse('forbidden');
  expect(it.platform.warnings).toEqual(['forbidden']);

  const errors: CrosspodError[] = [];
  it.client.onError((error) => errors.push(error));
  silent.on('chat', () => {});
  await settled();
  refuse('too_many_rooms');
  expect(errors).toMatchObject([{ code: 'too_many_rooms' }]);

  const left: unknown[] = [];
  silent.onLeft((error) => left.push(error?.code));
  silent.on('chat', () => {});
  await settled();
  refuse('forbidden');
  const joined = silent.join();
  refuse('invalid_room');
  await expect(joined).rejects.toMatchObject({ code: 'invalid_room' });
  expect(left).toEqual(['forbidden', 'invalid_room']);
  expect(errors).toHaveLength(1);
  expect(it.platform.warnings).toHaveLength(1);
});

test('what was sent more than five minutes ago is not sent again: it might arrive twice', async () => {
  const { client, clock, socket, platform, sent } = await connected();
  const old = client
    .room('r')
    .send('old')
    .catch((error: CrosspodError) => error.code);
  socket.ends();
  await clock.advance(500);
  platform.newest.ends();
  await settled();
  await clock.advance(299_000);
  const never = client
    .room('r')
    .send('never sent')
    .catch(() => {});
  for (const made of platform.made) if (!made.isOver) made.welcomes();
  expect(await old).toBe('outcome_unknown');
  expect(sent).toMatchObject([{ data: 'old' }]);
  expect(platform.newest.sent).toMatchObject([{ data: 'never sent' }]);
  client.close();
  await never;
});
