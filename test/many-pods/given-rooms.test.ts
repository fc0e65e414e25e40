import { aWorld, post } from './world.ts';
import { expect, test } from 'vitest';
import { type Client, open, refused } from '../support/client.ts';
import { bearer, type Claims, SECRET, token } from '../support/tokens.ts';
import { fresh } from '../integration/people.ts';
import type { PodProcess } from '../support/stack/pods.ts';

const KEY = { 'X-API-Key': 'the-key-of-the-test' };
const here = aWorld({
  env: {
    JWT_SECRET: SECRET,
    API_KEYS: 'the-key-of-the-test',
    JWT_ROOMS_CLAIM: 'rooms',
    PERSONAL_ROOM: 'user-{user}',
  },
});

async function person(pod: PodProcess, claims: Claims): Promise<Client> {
  return open(pod, '/ws?dialect=message', { headers: bearer(await token(claims)) });
}

test('A user has the same personal room on every pod, and nobody else enters it', async () => {
  const [ann, eve] = [fresh('ann'), fresh('eve')];
  const room = `user-${ann}`;
  const anns = [await person(here.a, { sub: ann }), await person(here.b, { sub: ann })];
  for (const one of anns) {
    await one.next({ event: 'connected', data: { personal_room: room } });
    await one.next({ event: 'joined', room });
  }
  const first = await post(here.a, `/api/rooms/${room}/messages`, { data: 1 }, KEY);
  for (const one of anns) await one.next({ id: first.body['id'] });
  expect(await refused(here.b, `/ws/${room}`, bearer(await token({ sub: eve })))).toMatchObject({
    status: 403,
  });

  // The user comes back to another pod, and resumes.
  anns[0]?.ws.terminate();
  const second = await post(here.a, `/api/rooms/${room}/messages`, { data: 2 }, KEY);
  const back = await person(here.b, { sub: ann, permissions: [] });
  back.send({ type: 'join', room, last_id: first.body['id'], ref: 'back' });
  await back.next({
    ref: 'back',
    event: 'joined',
    data: { recovered: true },
  });
  await back.next({ id: second.body['id'] });
});

test('The rooms of the claim are joined on connect and follow the next token', async () => {
  const [bob, one, two] = [fresh('bob'), fresh(), fresh()];
  const client = await person(here.a, { sub: bob, permissions: [], rooms: [one] });
  await client.next({ event: 'joined', room: one });
  const next = await token({ sub: bob, permissions: [], rooms: [two] });
  client.send({ type: 'auth', data: { token: next }, ref: 'auth' });
  await client.next({ event: 'left', room: one });
  await client.next({ event: 'joined', room: two });
});
