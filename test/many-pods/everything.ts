import { expect } from 'vitest';
import { connectionId, get, PATIENT, post, present } from './world.ts';
import { fresh, guest, join, member, namedListener, published } from '../integration/people.ts';
import { part, refused } from '../support/client.ts';
import type { PodProcess } from '../support/stack/pods.ts';

/** Settings with which `everything` takes every way through Redis there is without a fault. */
export const ALL_WAYS = {
  MAX_CONNECTIONS_PER_USER: '3',
  PRESENCE_GRACE_SECONDS: '1',
  PRESENCE_EVENTS_LIMIT: '2',
  HISTORY_SIZE: '10',
};

/** Uses all that crosses pods, so that all of its traces can be looked at. Fails where something does not cross. */
export async function everything(one: PodProcess, two: PodProcess): Promise<{ room: string }> {
  const room = fresh('everything');
  await messages(one, two, room);
  await recovery(one, two, room);
  await people(one, two, room);
  await notes(one, two);
  await limits(one, two);
  return { room };
}

async function messages(one: PodProcess, two: PodProcess, room: string): Promise<void> {
  const [alice, bob] = [await member(one, room, 'alice'), await member(two, room, 'bob')];
  const zoe = await namedListener(two, room, 'zoe', ['broadcast', 'presence']);
  const id = await published(alice, { room, data: 1 }, 'same');
  for (const client of [bob, zoe]) await client.next({ id });
  expect(await published(await guest(two, 'alice'), { room, data: 1 }, 'same')).toBe(id);
  await published(alice, { room, data: 2, ephemeral: true }, 'fleeting');
  await bob.next({ data: 2 });
  for (const body of [{ data: 3 }, { data: 4, ephemeral: true }]) {
    await post(one, `/api/rooms/${room}/messages`, body, { 'Idempotency-Key': fresh('key') });
    await bob.next(body);
  }
  alice.send({ type: 'leave', room });
  await alice.next({ event: 'left', room });
  await alice.close(1000);
}

async function recovery(one: PodProcess, two: PodProcess, room: string): Promise<void> {
  const client = await guest(one);
  const position = part(await join(client, room), 'data')['position'];
  await published(await guest(two), { room, data: 5 });
  const joined = await join(await guest(two), room, { last_id: position });
  expect(joined).toMatchObject({ data: { recovered: true, replayed: 1 } });
  expect(await join(await guest(one), room, { history: 2 })).toMatchObject({ data: { replayed: 2 } });
  const unknown = await join(await guest(one), room, { last_id: 'nonsense' });
  expect(unknown).toMatchObject({ data: { reason: 'unknown_position' } });
  const { body } = await get(one, `/api/rooms/${room}/history?after=${String(position)}`);
  expect(body).toMatchObject({ recovered: true, messages: [{ data: 5 }] });
  expect(await join(await guest(two), fresh('empty'), { last_id: position })).toMatchObject({
    data: { recovered: false },
  });
}

async function people(one: PodProcess, two: PodProcess, room: string): Promise<void> {
  const [carol, tab] = [await member(one, room, 'carol'), await member(two, room, 'carol')];
  await published(carol, { type: 'presence', room, data: { status: 'away', meta: { a: 1 } } });
  await expect
    .poll(() => present(two, room), PATIENT)
    .toMatchObject({ carol: { status: 'away', meta: { a: 1 } } });
  const rooms = await get(one, `/api/rooms?prefix=${room}&limit=1`);
  expect(rooms.body).toMatchObject({ rooms: [{ room }] });
  await carol.terminate();
  await tab.close(1000);
  for (const user of ['dora', 'emil', 'frida']) await member(one, room, user);
  await expect.poll(async () => Object.keys(await present(two, room)), PATIENT).not.toContain('carol');
  const zoe = await namedListener(two, room, 'zoe', ['presence']);
  await published(zoe, { type: 'presence_join', channel: room, payload: { name: 'Zoe' } });
  await published(zoe, { type: 'presence_leave', channel: room });
}

async function notes(one: PodProcess, two: PodProcess): Promise<void> {
  const bob = await guest(two, 'bob');
  const alice = await guest(one, 'alice');
  for (const to of ['bob', `conn:${connectionId(bob)}`]) {
    await published(alice, { to, data: to });
    await bob.next({ data: to });
  }
  await published(alice, { event: 'global', data: 1 });
  await bob.next({ event: 'global' });
  await post(one, `/api/connections/${connectionId(bob)}/disconnect`);
  expect(await bob.closed).toMatchObject({ code: 4403 });
}

async function limits(one: PodProcess, two: PodProcess): Promise<void> {
  const clients = [await guest(one, 'greta'), await guest(two, 'greta'), await guest(one, 'greta')];
  expect(await refused(two, '/ws?user_id=greta')).toMatchObject({ status: 429 });
  for (const client of clients) await client.close(1000);
  await expect.poll(() => guest(two, 'greta').catch(() => undefined), PATIENT).toBeDefined();
}
