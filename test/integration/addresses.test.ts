import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open, part, refused } from '../support/client.ts';
import { fresh, settled } from './people.ts';

const pod = await startPod();
const custom = await startPod({ WS_PATHS: '/live,/a/b' });
afterAll(() => Promise.all([pod.stop(), custom.stop()]));

describe.each(['/ws', '/api/chat-api/ws'])('%s, as every pod has it,', (path) => {
  test('takes a connection without a room', async () => {
    const client = await open(pod, path);
    await settled(client);
    expect(client.all({ event: 'joined' })).toEqual([]);
  });

  test('takes a room as the next part of the path', async () => {
    const client = await open(pod, `${path}/general`);
    await client.next({ event: 'joined', room: 'general' });
  });

  test('takes a slash at the end', async () => {
    const client = await open(pod, `${path}/general/`);
    await client.next({ event: 'joined', room: 'general' });
    const none = await open(pod, `${path}/?dialect=message`);
    await settled(none);
    expect(none.all({ event: 'joined' })).toEqual([]);
    const pages = await Promise.all(['stats', 'stats/'].map((page) => fetch(`${pod.url}${path}/${page}`)));
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    expect(await refused(pod, `${path}/general//`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_room' },
    });
  });

  test('takes a room as ?room=', async () => {
    const client = await open(pod, `${path}?room=general`);
    await client.next({ event: 'joined', room: 'general' });
  });

  test('takes an empty ?room= as none', async () => {
    const client = await open(pod, `${path}?room=&dialect=message`);
    await settled(client);
    expect(client.all({ event: 'joined' })).toEqual([]);
  });
});

describe('A room in the address', () => {
  test('may have every character that a room name may have, percent-encoded or not', async () => {
    const room = 'Az09_-.:@';
    for (const address of [`/ws/${room}`, `/ws/${encodeURIComponent(room)}`, `/ws?room=${room}`]) {
      const client = await open(pod, address);
      await client.next({ event: 'joined', room });
    }
  });

  test('may be one character or 128', async () => {
    for (const room of ['7', 'x'.repeat(128)]) {
      const client = await open(pod, `/ws/${room}`);
      await client.next({ event: 'joined', room });
    }
  });

  test('may be called stats', async () => {
    const client = await open(pod, '/ws/stats');
    await client.next({ event: 'joined', room: 'stats' });
  });
});

describe('A user id in the address', () => {
  test.each(['alice', 'Zoë Ω', '用户', 'a@b.c', 'x'.repeat(256)])('may be %s', async (user) => {
    const client = await open(pod, `/ws?dialect=message&user_id=${encodeURIComponent(user)}`);
    const connected = await client.next({ event: 'connected' });
    expect(part(connected, 'data')['user_id']).toBe(user);
  });

  test('is the connection id where there is none', async () => {
    const client = await open(pod, '/ws?dialect=message');
    const { connection_id: id, user_id: user } = part(await client.next({ event: 'connected' }), 'data');
    expect(id).toMatch(/./);
    expect(user).toBe(id);
  });
});

describe('With WS_PATHS=/live,/a/b', () => {
  test.each(['/live', '/a/b'])('%s serves the path, the path with a room and ?room=', async (path) => {
    await settled(await open(custom, path));
    for (const address of [`${path}/one`, `${path}?room=one`]) {
      const client = await open(custom, address);
      await client.next({ event: 'joined', room: 'one' });
    }
  });

  test('the paths that others have are unknown', async () => {
    for (const path of ['/ws', '/ws/room', '/api/chat-api/ws']) {
      expect((await refused(custom, path)).status).toBe(404);
    }
  });

  test('a client with a room of its own hears those of every path', async () => {
    const room = fresh();
    const one = await open(custom, `/live/${room}`);
    const two = await open(custom, `/a/b/${room}`);
    await one.next({ event: 'joined' });
    await two.next({ event: 'joined' });
    one.send({ data: 'over there' });
    await two.next({ type: 'chat', data: 'over there' });
  });
});
