import { describe, expect, test } from 'vitest';
import type { CrosspodError } from '../../src/client/client.ts';
import { settled } from './fake-clock.ts';
import { fakeClient } from './fake-platform.ts';
import type { FakeSocket } from './fake-socket.ts';

const message = (id: string) => ({ type: 'chat', id, room: 'r', from: 'bob', data: id, timestamp: '' });

/** The server welcomes the user and answers the joins that come. */
function welcome(socket: FakeSocket, user: string): object[] {
  const data = { connection_id: 'c', user_id: user, heartbeat_seconds: 25 };
  socket.says({ type: 'system', event: 'connected', data });
  const joins = (socket.sent as { type: string; room: string; ref: string }[]).filter(
    ({ type }) => type === 'join',
  );
  for (const { room, ref } of joins) {
    const joined = { position: '1', count: 1, members: [] };
    socket.says({ type: 'system', event: 'joined', room, ref, data: joined });
  }
  return joins;
}

/** A client of ann in room `r`, which had message 2 and is closed then. */
async function loggedOut(how: 'closes itself' | 'is thrown out') {
  const it = fakeClient({ getToken: () => 'token' });
  const heard: string[] = [];
  const states: string[] = [];
  it.client.onState((state) => states.push(state));
  const room = it.client.room('r');
  room.onMessage(({ id }) => heard.push(id));
  void room.join({ history: 5 });
  await settled();
  expect(welcome(it.platform.newest, 'ann')).toMatchObject([{ room: 'r', history: 5 }]);
  room.setPresence('away');
  it.platform.newest.says(message('2'));
  if (how === 'closes itself') it.client.close();
  else it.platform.newest.ends(4403, 'kicked');
  expect(it.client.state).toBe('closed');
  return { ...it, room, heard, states };
}

describe.each(['closes itself', 'is thrown out'] as const)('After it %s', (how) => {
  test('the same user goes on where it was, with what it said of itself', async () => {
    const { client, heard, platform, room, states } = await loggedOut(how);
    client.connect();
    await settled();
    expect(welcome(platform.newest, 'ann')).toMatchObject([{ room: 'r', last_id: '2' }]);
    expect(platform.newest.sent).toContainEqual(
      expect.objectContaining({ type: 'presence', data: { status: 'away' } }),
    );
    for (const id of ['2', '3']) platform.newest.says(message(id));
    expect(heard).toEqual(['2', '3']);
    expect(states).toEqual(['connected', 'closed', 'connecting', 'connected']);
    const sent = room.send('hi');
    const { ref } = platform.newest.sent.at(-1) as { ref: string };
    platform.newest.says({ type: 'ack', ref, id: '4' });
    expect(await sent).toBe('4');
  });

  test('another user comes as if for the first time', async () => {
    const { client, platform } = await loggedOut(how);
    client.connect();
    await settled();
    const joins = welcome(platform.newest, 'bob');
    expect(joins).toMatchObject([{ room: 'r', history: 5 }]);
    expect(joins[0]).not.toHaveProperty('last_id');
    expect(platform.newest.sent).not.toContainEqual(expect.objectContaining({ type: 'presence' }));
    expect(client.userId).toBe('bob');
  });

  test('a room that is left meanwhile is not joined, one that is listened to meanwhile is', async () => {
    const { client, platform, room } = await loggedOut(how);
    room.leave();
    client.room('s').onMessage(() => {});
    await settled();
    client.connect();
    await settled();
    expect(welcome(platform.newest, 'ann')).toMatchObject([{ room: 's' }]);
  });
});

test('What waited when the client was closed was rejected, and is not sent by the next connection', async () => {
  const { client, platform } = fakeClient();
  const outcomes = Promise.allSettled([client.room('r').send('early'), client.room('r').join()]);
  client.close();
  const codes = (await outcomes).map((one) => (one as { reason: CrosspodError }).reason.code);
  expect(codes).toEqual(['closed', 'closed']);
  client.connect();
  client.connect();
  await settled();
  expect(platform.made.filter(({ isOver }) => !isOver)).toHaveLength(1);
  welcome(platform.newest, 'ann');
  expect(platform.newest.sent).toMatchObject([{ type: 'join', room: 'r' }]);
  expect(platform.watched).toBe(true);
  client.close();
  expect(platform.watched).toBe(false);
});

test('A client that is not closed connects only once', async () => {
  const { client, platform } = fakeClient();
  await settled();
  client.connect();
  await settled();
  expect(platform.made).toHaveLength(1);
});

test('It may be asked for while it is told that it is closed', async () => {
  const { client, platform } = fakeClient();
  await settled();
  client.onState((state) => {
    if (state === 'closed') client.connect();
  });
  platform.newest.ends(4403);
  await settled();
  platform.newest.welcomes();
  expect(client.state).toBe('connected');
});
