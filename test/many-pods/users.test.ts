import { aWorld, at, get, post } from './world.ts';
import { expect, test } from 'vitest';
import { open, refused } from '../support/client.ts';
import { bearer, SECRET, token } from '../support/tokens.ts';
import { fresh } from '../integration/people.ts';

const KEY = { 'X-API-Key': 'the-key-of-the-test' };
const here = aWorld({ pods: 3, env: { JWT_SECRET: SECRET, API_KEYS: 'the-key-of-the-test' } });

/** A token that permits nothing. */
const poor = (sub: string): Promise<string> => token({ sub, permissions: [] });

test('The server gives a user a room on all pods, and takes it back', async () => {
  const [bob, room] = [fresh('bob'), fresh()];
  const headers = bearer(await poor(bob));
  const bobs = [
    await open(here.a, '/ws?dialect=message', { headers }),
    await open(here.b, '/ws?dialect=message', { headers }),
  ];
  for (const one of bobs) await one.next({ event: 'connected' });
  const joined = await post(here.c, `/api/users/${bob}/join`, { room }, KEY);
  expect(joined.body).toEqual({ status: 'ok', connections: 2 });
  for (const one of bobs) await one.next({ event: 'joined', room });
  const { body } = await get(here.c, `/api/users/${bob}`, KEY);
  expect(body['connections']).toMatchObject([{ rooms: [room] }, { rooms: [room] }]);
  // Pods write how many connections they have a moment later.
  await expect
    .poll(() => get(here.b, `/api/rooms/${room}`, KEY), { timeout: 5_000 })
    .toMatchObject({ body: { room, connections: 2, members: 1, rule: null } });

  // A new connection to another pod, with the room in its address; and a new token.
  const back = await open(here.c, `/ws/${room}`, { headers });
  await back.next({ event: 'joined', room });
  back.send({ type: 'auth', data: { token: await poor(bob) }, ref: 'auth' });
  await back.next({ ref: 'auth', event: 'authenticated' });
  expect((await get(here.a, `/api/users/${bob}`, KEY)).body['connections']).toHaveLength(3);

  const left = await post(here.a, `/api/users/${bob}/leave`, { room }, KEY);
  expect(left.body).toEqual({ status: 'ok', connections: 3 });
  for (const one of [...bobs, back]) await one.next({ event: 'left', room });
  expect(await refused(here.b, `/ws/${room}`, headers)).toMatchObject({ status: 403 });
});

test('The connections of all pods are listed in pages', async () => {
  const carol = fresh('carol');
  const headers = bearer(await poor(carol));
  for (const pod of here.pods)
    await (await open(pod, '/ws?dialect=message', { headers })).next({ event: 'connected' });
  const rows: unknown[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await get(at(here.pods, 1), `/api/connections?limit=2&cursor=${cursor}`, KEY);
    rows.push(...(body['connections'] as unknown[]));
    cursor = body['cursor'] as string | null;
  }
  const carols = rows.filter((row) => (row as { user_id: string }).user_id === carol);
  expect(carols).toHaveLength(here.pods.length);
});
