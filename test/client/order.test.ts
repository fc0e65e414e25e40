import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { CrosspodError, State } from '../../src/client/client.ts';
import { Signal } from '../../src/client/signal.ts';
import { settled } from './fake-clock.ts';
import { fakeClient } from './fake-platform.ts';
import type { FakeSocket } from './fake-socket.ts';

interface Sent {
  readonly type: string;
  readonly ref: string;
  readonly room?: string;
  readonly data?: unknown;
}

const sentOn = ({ sent }: FakeSocket): Sent[] => sent as Sent[];

/** The server lets the client in whose join was sent last. */
function admit(socket: FakeSocket, data: object = {}): void {
  const { ref, room } = sentOn(socket).findLast(({ type }) => type === 'join') ?? {};
  const joined = { position: '0', count: 0, members: [], ...data };
  socket.says({ type: 'system', event: 'joined', room, ref, data: joined });
}

function chat(id: string, more: object = {}): object {
  return { type: 'chat', id, room: 'r', from: 'bob', data: id, timestamp: '', ...more };
}

async function connected() {
  const it = fakeClient();
  await settled();
  it.platform.newest.welcomes(1_000);
  return { ...it, socket: it.platform.newest };
}

test('what is sent when it hears that it is connected comes after the joins and after what has waited', async () => {
  const { client, platform, clock } = fakeClient();
  const room = client.room('r');
  room.on('chat', () => {});
  room.send('early').catch(() => {});
  client.onState((state) => {
    if (state !== 'connected') return;
    expect(client.userId).toBe('ann');
    room.send('in the listener').catch(() => {});
  });
  await settled();
  const socket = platform.newest;
  socket.welcomes();
  expect(sentOn(socket).map(({ type, data }) => data ?? type)).toEqual(['join', 'early']);
  socket.says({ type: 'ack', ref: sentOn(socket)[1]?.ref, id: '1' });
  expect(sentOn(socket).map(({ type, data }) => data ?? type)).toEqual(['join', 'early', 'in the listener']);
  expect(clock.due).toHaveLength(1);
});

test('what has waited goes on without an ack where the server says nothing for long, each once and in order', async () => {
  const { client, platform, clock } = fakeClient();
  const room = client.room('r');
  room.on('chat', () => {});
  const results = ['a', 'b', 'c'].map((data) => room.send(data));
  await settled();
  const socket = platform.newest;
  socket.welcomes(1_000);
  const said = (): unknown[] => sentOn(socket).flatMap(({ type, data }) => (type === 'chat' ? [data] : []));
  await clock.advance(2_400);
  expect(said()).toEqual(['a']);
  await clock.advance(2_000);
  expect(said()).toEqual(['a', 'b', 'c']);
  // Nobody waits any more: what is said now goes at once.
  results.push(room.send('d'));
  expect(said()).toEqual(['a', 'b', 'c', 'd']);
  const frames = sentOn(socket).filter(({ type }) => type === 'chat');
  for (const { ref, data } of frames) socket.says({ type: 'ack', ref, id: `id of ${String(data)}` });
  expect(await Promise.all(results)).toEqual(['id of a', 'id of b', 'id of c', 'id of d']);
});

test.each(['', undefined, null, 7])('nothing goes to everybody for want of a name (%j)', async (name) => {
  const { client, socket } = await connected();
  expect(() => client.room(name as string)).toThrow(TypeError);
  await expect(client.sendTo(name as string, 'secret')).rejects.toThrow(TypeError);
  expect(socket.sent).toEqual([]);
});

test('whoever begins to listen while something is told hears what comes next', () => {
  const signal = new Signal<[number]>();
  const heard: string[] = [];
  let off = (): void => {};
  const again = (): void => {
    off = signal.on((n) => {
      heard.push(`once ${n}`);
      off();
      again();
    });
  };
  again();
  signal.emit(1);
  signal.emit(2);
  expect(heard).toEqual(['once 1', 'once 2']);
});

test('a listener that was taken away by one before it is not called', () => {
  const signal = new Signal<[number]>();
  const heard: number[] = [];
  signal.on(() => off());
  const off = signal.on((n) => heard.push(n));
  signal.emit(1);
  expect(heard).toEqual([]);
});

test('every listener hears states in the order in which they came, also when one of them closes the client', async () => {
  const { client, platform } = fakeClient();
  const heard: State[] = [];
  client.onState((state) => {
    if (state === 'connected') client.close();
  });
  client.onState((state) => heard.push(state));
  await settled();
  platform.newest.welcomes();
  expect(heard).toEqual(['connected', 'closed']);
});

test('what comes from an earlier stay in the room is not taken for the present one', async () => {
  const { client, socket } = await connected();
  const room = client.room('r');
  const heard: string[] = [];
  room.onMessage(({ id }) => heard.push(id));
  await settled();
  admit(socket);
  room.leave();
  void room.join({ history: 10 });
  socket.says(chat('late'));
  socket.says({ type: 'system', event: 'left', room: 'r' });
  admit(socket, { replayed: 2 });
  socket.says(chat('1'));
  socket.says(chat('late'));
  expect(heard).toEqual(['1', 'late']);
});

test('a room that it is in and is not let into again is not silent', async () => {
  const { client, platform, clock, socket } = await connected();
  const room = client.room('r');
  room.on('chat', () => {});
  await settled();
  admit(socket);
  await room.join();
  socket.ends();
  await clock.advance(500);
  const next = platform.newest;
  next.welcomes();
  next.says({ type: 'error', ref: sentOn(next)[0]?.ref, data: { code: 'forbidden', error: 'no more' } });
  expect(platform.warnings).toEqual(['no more']);
});

test('being taken out of a room is not silent either', async () => {
  const { client, platform, socket } = await connected();
  client.room('r').on('chat', () => {});
  await settled();
  admit(socket);
  socket.says({ type: 'system', event: 'left', room: 'r' });
  expect(platform.warnings).toEqual(['the server removed this client from the room r']);
});

test('a refusal of a join that was given up is nobody’s', async () => {
  const { client, platform, socket } = await connected();
  const room = client.room('r');
  const first = room.join().catch((error: CrosspodError) => error.code);
  room.leave();
  const second = room.join().catch((error: CrosspodError) => error.code);
  const [join, , again] = sentOn(socket);
  for (const { ref } of [join, again] as Sent[]) {
    socket.says({ type: 'error', ref, data: { code: 'forbidden', error: 'no' } });
  }
  expect(await Promise.all([first, second])).toEqual(['left', 'forbidden']);
  expect(platform.warnings).toEqual([]);
});

test('closed at any moment it leaves no timer: while a token is fetched, while join and status wait', async () => {
  const hanging = fakeClient({ getToken: () => new Promise(() => {}) });
  await settled();
  hanging.client.close();
  await settled();
  expect(hanging.clock.due).toEqual([]);

  const { client, clock, socket } = await connected();
  const room = client.room('r');
  room.on('chat', () => {});
  await settled();
  admit(socket);
  room.setPresence('away');
  const other = client.room('s');
  void other.join().catch(() => {});
  for (const { ref } of sentOn(socket).slice(1)) {
    socket.says({
      type: 'error',
      ref,
      data: { code: 'rate_limited', error: 'wait', retry_after_ms: 60_000 },
    });
  }
  expect(clock.due).toHaveLength(3);
  room.leave();
  expect(clock.due).toHaveLength(2);
  client.close();
  expect(clock.due).toEqual([]);
});

test('what is not kept pushes nothing out of the memory of what was heard', async () => {
  const { client, socket, clock, platform } = await connected();
  const heard: string[] = [];
  client.room('r').onMessage(({ id, ephemeral }) => ephemeral !== true && heard.push(id));
  await settled();
  admit(socket);
  socket.says(chat('1'));
  for (let n = 0; n < 6_000; n += 1) socket.says(chat(`cursor ${n}`, { ephemeral: true }));
  socket.ends();
  await clock.advance(500);
  platform.newest.welcomes();
  admit(platform.newest, { recovered: false, reason: 'unknown_position', replayed: 2 });
  for (const id of ['1', '2']) platform.newest.says(chat(id));
  expect(heard).toEqual(['1', '2']);
});

test('history that could not be read when it joined is asked for again when it can be', async () => {
  const { client, socket } = await connected();
  const room = client.room('r');
  const heard: string[] = [];
  room.onMessage(({ id }) => heard.push(id));
  const joined = room.join({ history: 2 });
  admit(socket, { position: '9', recovered: false, reason: 'unavailable' });
  await joined;
  socket.says({ type: 'system', event: 'recovered', room: 'r', data: { recovered: true, replayed: 0 } });
  expect(sentOn(socket).at(-1)).toMatchObject({ type: 'join', history: 2 });
  admit(socket, { position: '9', replayed: 2 });
  for (const id of ['8', '9']) socket.says(chat(id));
  expect(heard).toEqual(['8', '9']);
});

test('a status said before the join is said once, and none is kept beyond leave', async () => {
  const { client, socket } = await connected();
  const room = client.room('r');
  room.setPresence('away');
  void room.join();
  room.setPresence('away', { since: 'noon' });
  expect(sentOn(socket).map(({ type }) => type)).toEqual(['join']);
  admit(socket);
  expect(sentOn(socket).slice(1)).toMatchObject([{ data: { status: 'away', meta: { since: 'noon' } } }]);
  room.leave();
  room.setPresence('away');
  room.leave();
  void room.join();
  admit(socket);
  expect(sentOn(socket).at(-1)).toMatchObject({ type: 'join' });
});

test('whoever leaves when it hears of having joined hears nothing more of the room', async () => {
  const { client, socket } = await connected();
  const room = client.room('r');
  const heard: unknown[] = [];
  room.onJoined(() => room.leave());
  room.onMembers((_, count) => heard.push(count));
  room.onUnrecovered((gap) => heard.push(gap));
  await settled();
  admit(socket, { count: 0, recovered: false, reason: 'trimmed' });
  expect(heard).toEqual([]);
});

/** Lets go of what nobody can reach. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let n = 0; n < 3; n += 1) {
    await settled();
    collect();
  }
}

test('rooms that nobody needs any more are forgotten, and those with listeners are not', async () => {
  const { client, socket } = await connected();
  const visit = (name: string): WeakRef<object> => {
    const room = client.room(name);
    room.send('hi').catch(() => {});
    return new WeakRef(room);
  };
  const visited = visit('visited');
  const left = ((): WeakRef<object> => {
    const room = client.room('left');
    room.on('chat', () => {})();
    void room.join();
    room.leave();
    return new WeakRef(room);
  })();
  const listened = ((): WeakRef<object> => {
    const room = client.room('listened');
    room.onLeft(() => {});
    return new WeakRef(room);
  })();
  const inside = ((): WeakRef<object> => {
    const room = client.room('r');
    void room.join({ history: 1 });
    return new WeakRef(room);
  })();
  await collectGarbage();
  expect([visited.deref(), left.deref()]).toEqual([undefined, undefined]);
  expect(client.room('listened')).toBe(listened.deref());
  // Nobody can tell that it is another object: it is in the room.
  expect(inside.deref()).toBeUndefined();
  admit(socket, { count: 1, members: [{ user_id: 'ann' }] });
  expect(client.room('r').count).toBe(1);
});
