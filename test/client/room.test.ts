import { expect, test } from 'vitest';
import type { Crosspod, Message } from '../../src/client/client.ts';
import { connected } from './with-server.ts';

const at = '2026-01-01T00:00:00.000Z';

function chat(id: string, more: object = {}): Message {
  return { type: 'chat', id, room: 'r', from: 'bob', data: id, timestamp: at, ...more };
}

/** The ids of the messages that the application gets in room `r`. */
function received(client: Crosspod): string[] {
  const ids: string[] = [];
  client.room('r').onMessage((message) => ids.push(message.id));
  return ids;
}

test('a join resolves with what the server answered, and gives the members', async () => {
  const { client, session } = await connected();
  const room = client.room('r');
  const joined = room.join({ history: 50 });
  const member = { user_id: 'bob', status: 'away', meta: { name: 'Bob' }, updated_at: 1 };
  const frame = await session.admit({ position: '7', count: 1, members: [member] });
  expect(frame).toEqual({ type: 'join', room: 'r', history: 50, ref: expect.any(String) });
  expect(await joined).toMatchObject({ position: '7', count: 1 });
  expect(room.members).toEqual([member]);
});

test('a join made before the connection is up is sent as soon as it is', async () => {
  const { client, session } = await connected();
  client
    .room('a')
    .join()
    .catch(() => {});
  expect(await session.take()).toMatchObject({ type: 'join', room: 'a' });
});

test('messages reach their own room, once each and in order', async () => {
  const { client, session } = await connected();
  const ids = received(client);
  const elsewhere: string[] = [];
  client.room('s').onMessage(({ id }) => elsewhere.push(id));
  client.room('s').leave();
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  for (const id of ['1', '2', '2', '1', '3']) session.send(chat(id));
  session.send(chat('4', { room: 's' }));
  await session.settled();
  expect(ids).toEqual(['1', '2', '3']);
  expect(elsewhere).toEqual([]);
});

test('after a loss it resumes after the last message received', async () => {
  const { client, server, session } = await connected();
  const ids = received(client);
  void client.room('r').join({ history: 50 });
  await session.admit({ position: '2', replayed: 2 });
  session.send(chat('1'));
  session.send(chat('2'));
  session.send(chat('3'));
  await session.settled();
  session.breaks();
  const next = await server.session();
  const frame = await next.admit({ position: '4', recovered: true, replayed: 1 });
  expect(frame).toEqual({ type: 'join', room: 'r', last_id: '3', ref: expect.any(String) });
  next.send(chat('4'));
  await next.settled();
  expect(ids).toEqual(['1', '2', '3', '4']);
});

test('a message that is not kept does not move the position', async () => {
  const { client, server, session } = await connected();
  const ids = received(client);
  void client.room('r').join();
  await session.admit({ position: '4' });
  session.send(chat('5'));
  session.send(chat('typing', { ephemeral: true }));
  session.send(chat('early', { provisional: true }));
  await session.settled();
  session.breaks();
  const next = await server.session();
  expect(await next.admit({ recovered: true, replayed: 1 })).toMatchObject({ last_id: '5' });
  next.send(chat('6', { provisional_id: 'early' }));
  await next.settled();
  expect(ids).toEqual(['5', 'typing', 'early']);
  next.breaks();
  expect(await (await server.session()).take()).toMatchObject({ last_id: '6' });
});

test('without a message received it resumes where the history ended at the join', async () => {
  const { client, server, session } = await connected();
  const joined = client.room('r').join({ history: 50 });
  await session.admit({ position: '9', replayed: 0 });
  await joined;
  session.breaks();
  expect(await (await server.session()).take()).toMatchObject({ last_id: '9' });
});

test('a history that was cut off before its first message is asked for again', async () => {
  const { client, server, session } = await connected();
  const joined = client.room('r').join({ history: 50 });
  await session.admit({ position: '9', replayed: 3 });
  await joined;
  session.breaks();
  const frame = await (await server.session()).take();
  expect(frame).toEqual({ type: 'join', room: 'r', history: 50, ref: expect.any(String) });
});

test('it tells when messages are missing, and goes on after the history that is gone', async () => {
  const { client, server, session } = await connected();
  const gaps: unknown[] = [];
  client.room('r').onUnrecovered((gap) => gaps.push(gap));
  const joined = client.room('r').join();
  await session.admit({ position: 'old-4' });
  await joined;
  session.breaks();
  const next = await server.session();
  await next.admit({ position: 'new-0', recovered: false, reason: 'history_lost', replayed: 0 });
  await next.settled();
  expect(gaps).toEqual([{ reason: 'history_lost', replayed: 0 }]);
  next.breaks();
  expect(await (await server.session()).take()).toMatchObject({ last_id: 'new-0' });
});

test('a history that cannot be read yet is told, and what became of it is told again', async () => {
  const { client, server, session } = await connected();
  const gaps: unknown[] = [];
  client.room('r').onUnrecovered((gap) => gaps.push(gap));
  const joined = client.room('r').join();
  await session.admit({ position: '4' });
  await joined;
  session.breaks();
  const next = await server.session();
  await next.admit({ recovered: false, reason: 'unavailable' });
  const data = { recovered: false, reason: 'trimmed', replayed: 40 };
  next.send({ type: 'system', event: 'recovered', room: 'r', data });
  await next.settled();
  expect(gaps).toEqual([
    { reason: 'unavailable', replayed: 0 },
    { reason: 'trimmed', replayed: 40 },
  ]);
  next.breaks();
  expect(await (await server.session()).take()).toMatchObject({ last_id: '4' });
});

test('the member list follows what comes and goes, and a reconnect sets it right', async () => {
  const { client, server, session } = await connected();
  const room = client.room('r');
  const lists: string[][] = [];
  room.onMembers((members) => lists.push(members.map((row) => `${row.user_id} ${row.status}`)));
  void room.join();
  await session.admit({ count: 1, members: [{ user_id: 'me', status: 'online' }] });
  const says = (user: string, status: string) =>
    session.send({ type: 'presence', room: 'r', from: user, data: { user_id: user, status, meta: {} } });
  says('bob', 'online');
  says('eve', 'online');
  says('bob', 'away');
  says('eve', 'offline');
  await session.settled();
  session.breaks();
  const next = await server.session();
  await next.admit({ count: 1, members: [{ user_id: 'dan', status: 'online' }] });
  await next.settled();
  expect(lists).toEqual([
    ['me online'],
    ['me online', 'bob online'],
    ['me online', 'bob online', 'eve online'],
    ['me online', 'bob away', 'eve online'],
    ['me online', 'bob away'],
    ['dan online'],
  ]);
});

test('in a large room the number of members is what the server counts', async () => {
  const { client, session } = await connected();
  const counts: number[] = [];
  client.room('r').onMembers((_, count) => counts.push(count));
  void client.room('r').join();
  await session.admit({ count: 900, members: [{ user_id: 'me', status: 'online' }] });
  session.send({ type: 'system', event: 'members', room: 'r', data: { count: 901 } });
  await session.settled();
  expect(counts).toEqual([900, 901]);
});

test('what was said about oneself is said again after a reconnect', async () => {
  const { client, server, session } = await connected();
  client.room('r').setPresence('online');
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  client.room('r').setPresence('away', { where: 'lunch' });
  const data = { status: 'away', meta: { where: 'lunch' } };
  const presence = { type: 'presence', room: 'r', data, ref: expect.any(String) };
  await session.take();
  expect(await session.take()).toEqual(presence);
  session.breaks();
  const next = await server.session();
  await next.admit();
  expect(await next.take()).toEqual(presence);
});

test('what was said about oneself is not said again once another device of the user has said something after it', async () => {
  const { client, server, session } = await connected();
  const tells = (to: typeof session, status: string, meta: object): void => {
    const data = { user_id: 'me', status, meta, updated_at: 1 };
    to.send({ type: 'presence', room: 'r', from: 'me', data });
  };
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  client.room('r').setPresence('away');
  await session.take();
  // The other device was earlier: this is what the room knew when the statement came.
  tells(session, 'online', { laptop: true });
  tells(session, 'away', {});
  await session.settled();
  session.breaks();
  const again = await server.session();
  await again.admit({ members: [{ user_id: 'me', status: 'online', meta: {} }] });
  expect(await again.take()).toMatchObject({ type: 'presence', data: { status: 'away' } });
  tells(again, 'online', { laptop: true });
  await again.settled();
  again.breaks();
  const third = await server.session();
  await third.admit({ members: [{ user_id: 'me', status: 'online', meta: { laptop: true } }] });
  await third.settled();
  client.room('r').leave();
  expect(await third.take()).toMatchObject({ type: 'leave' });
});

test('what another device said while this one was away is not said over', async () => {
  const { client, server, session } = await connected();
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  client.room('r').setPresence('away');
  await session.take();
  const data = { user_id: 'me', status: 'away', meta: {}, updated_at: 1 };
  session.send({ type: 'presence', room: 'r', from: 'me', data });
  await session.settled();
  session.breaks();
  const next = await server.session();
  await next.admit({ members: [{ user_id: 'me', status: 'online', meta: { laptop: true } }] });
  await next.settled();
  client.room('r').leave();
  expect(await next.take()).toMatchObject({ type: 'leave' });
});

test('what was said about oneself too fast is said again when the server says, and what is forbidden is told', async () => {
  const { client, session } = await connected();
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  client.room('r').setPresence('away');
  session.refuse(await session.take(), 'rate_limited', 5);
  const again = await session.take();
  expect(again).toMatchObject({ type: 'presence', data: { status: 'away' } });
  const error = new Promise((resolve) => client.onError(resolve));
  session.refuse(again, 'forbidden');
  expect(await error).toMatchObject({ code: 'forbidden' });
});

test('a join that is refused rejects with the code and is not tried again', async () => {
  const { client, server, session } = await connected();
  const joined = client.room('r').join();
  session.refuse(await session.take(), 'forbidden');
  await expect(joined).rejects.toMatchObject({ code: 'forbidden', message: 'forbidden!' });
  session.breaks();
  const next = await server.session();
  client
    .room('s')
    .join()
    .catch(() => {});
  expect(await next.take()).toMatchObject({ room: 's' });
});

test('a join that comes too fast is tried again when the server says', async () => {
  const { client, session } = await connected();
  const joined = client.room('r').join();
  session.refuse(await session.take(), 'rate_limited', 5);
  await session.admit({ position: '1' });
  expect(await joined).toMatchObject({ position: '1' });
});

test('it tells when a room does not let it in again after a reconnect', async () => {
  const { client, server, session } = await connected();
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  const left = new Promise((resolve) => client.room('r').onLeft(resolve));
  session.breaks();
  const next = await server.session();
  next.refuse(await next.take(), 'forbidden');
  expect(await left).toMatchObject({ code: 'forbidden' });
});

test('after leave nothing of the room comes any more, and a reconnect does not return to it', async () => {
  const { client, server, session } = await connected();
  const ids = received(client);
  const joined = client.room('r').join();
  await session.admit();
  await joined;
  client.room('r').leave();
  expect(await session.take()).toMatchObject({ type: 'leave', room: 'r' });
  session.send(chat('1'));
  await session.settled();
  expect(ids).toEqual([]);
  session.breaks();
  const next = await server.session();
  client
    .room('s')
    .join()
    .catch(() => {});
  expect(await next.take()).toMatchObject({ room: 's' });
});

test('who leaves and comes at once again is in the room, and starts with its history anew', async () => {
  const { client, session } = await connected();
  const room = client.room('r');
  const first = room.join();
  await session.admit({ position: '4' });
  await first;
  room.leave();
  const second = room.join({ history: 10 });
  const leave = await session.take();
  session.send({ type: 'system', event: 'left', room: 'r', ref: leave.ref });
  const join = await session.admit({ position: '5' });
  expect(join).toEqual({ type: 'join', room: 'r', history: 10, ref: expect.any(String) });
  expect(await second).toMatchObject({ position: '5' });
});

test('a leave before the answer rejects the join', async () => {
  const { client } = await connected();
  const joined = client.room('r').join();
  client.room('r').leave();
  await expect(joined).rejects.toMatchObject({ code: 'left' });
});

test('direct and global messages reach the client itself', async () => {
  const { client, session } = await connected();
  const ids: string[] = [];
  client.onMessage(({ id }) => ids.push(id));
  session.send({ type: 'chat', id: 'd', from: 'bob', data: 1, timestamp: at, ephemeral: true });
  session.send({ type: 'notification', id: 'g', room: '', from: 'system', data: 2, timestamp: at });
  await session.settled();
  expect(ids).toEqual(['d', 'g']);
});

test('a listener that throws keeps no other from hearing', async () => {
  const { client, session } = await connected();
  const thrown = new Promise((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
  client.room('r').onMessage(() => {
    throw new Error('the application’s own fault');
  });
  const ids = received(client);
  void client.room('r').join();
  await session.admit();
  session.send(chat('1'));
  await session.settled();
  expect(ids).toEqual(['1']);
  expect(await thrown).toMatchObject({ message: 'the application’s own fault' });
});
