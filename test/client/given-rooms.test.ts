import { expect, test } from 'vitest';
import type { Crosspod } from '../../src/client/client.ts';
import { connected } from './with-server.ts';

const timestamp = '2026-01-01T00:00:00.000Z';

function joined(room: string, data: object = {}): object {
  const answer = { position: '1', count: 0, members: [], replayed: 0, ...data };
  return { type: 'system', event: 'joined', room, from: 'system', data: answer, timestamp };
}

function left(room: string): object {
  return { type: 'system', event: 'left', room, from: 'system', timestamp };
}

function chat(id: string): object {
  return { type: 'chat', id, room: 'r', from: 'bob', data: id, timestamp };
}

function changes(client: Crosspod): string[] {
  const seen: string[] = [];
  client.onRoom(({ name }, change) => seen.push(`${change} ${name}`));
  return seen;
}

test('a room that the server gives is followed: a listener added in onRoom gets everything', async () => {
  const { client, session } = await connected();
  const seen: string[] = [];
  client.onRoom((room, change) => {
    seen.push(change);
    room.onJoined(({ position = '' }) => seen.push(position));
    room.onMessage(({ id }) => seen.push(id));
  });
  session.send(joined('r'));
  session.send(chat('2'));
  await session.settled();
  expect(seen).toEqual(['given', '1', '2']);
});

test('a room that the server gave is resumed after a loss', async () => {
  const { client, server, session } = await connected();
  const ids: string[] = [];
  client.room('r').onJoined(() => undefined);
  session.send(joined('r'));
  session.send(chat('2'));
  await session.settled();
  client.room('r').onMessage(({ id }) => ids.push(id));
  session.breaks();
  const next = await server.session();
  // The server gives the room anew before it reads the client's join.
  next.send(joined('r', { position: '9' }));
  expect(await next.take()).toMatchObject({ type: 'join', room: 'r', last_id: '2' });
  client.close();
  expect(ids).toEqual([]);
});

test('a room that the server takes is over, and no error where onRoom listens', async () => {
  const { client, session } = await connected();
  const seen = changes(client);
  client.onError(({ code }) => seen.push(code));
  session.send(joined('r'));
  session.send(left('r'));
  await session.settled();
  expect(seen).toEqual(['given r', 'taken r']);
});

test('a given room that the server no longer permits after a loss is taken', async () => {
  const { client, server, session } = await connected();
  const seen = changes(client);
  client.onError(({ code }) => seen.push(code));
  session.send(joined('r'));
  await session.settled();
  session.breaks();
  const next = await server.session();
  next.refuse(await next.take(), 'forbidden');
  await next.settled();
  expect(seen).toEqual(['given r', 'taken r']);
});

test('a room can be left within onRoom', async () => {
  const { client, session } = await connected();
  client.onRoom((room) => room.leave());
  session.send(joined('r'));
  expect(await session.take()).toMatchObject({ type: 'leave', room: 'r' });
});

test('an answer to a join that the client gave up is no gift', async () => {
  const { client, session } = await connected();
  const seen = changes(client);
  client
    .room('r')
    .join()
    .catch(() => undefined);
  const { ref } = await session.take();
  client.room('r').leave();
  session.send({ ...joined('r'), ref });
  await session.settled();
  expect(seen).toEqual([]);
});
