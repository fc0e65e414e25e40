import { expect, test } from 'vitest';
import { aWorld, ids, said } from './world.ts';
import {
  fresh,
  guest,
  join,
  member,
  namedListener,
  numbered,
  numbers,
  published,
  range,
} from '../integration/people.ts';
import type { Client } from '../support/client.ts';

const here = aWorld({ pods: 3 });

/** A member on each pod. */
async function everywhere(room: string): Promise<[Client, Client, Client]> {
  return [
    await member(here.a, room, 'alice'),
    await member(here.b, room, 'bob'),
    await member(here.c, room, 'carol'),
  ];
}

test('An ephemeral message reaches every pod as such, its own too, once', async () => {
  const room = fresh();
  const all = await everywhere(room);
  const second = await member(here.a, room, 'anna');
  const frame = { type: 'chat', room, event: 'typing', data: { a: [1] }, ephemeral: true };
  const id = await published(all[0], frame);
  const seen = await Promise.all([...all, second].map((one) => one.next({ event: 'typing' })));
  for (const one of seen)
    expect(one).toEqual({ ...frame, id, from: 'alice', timestamp: seen[0]?.['timestamp'] });
  await here.marked(room, [...all, second]);
  for (const one of [...all, second]) expect(one.all({ event: 'typing' })).toHaveLength(1);
});

test('An ephemeral message over HTTP reaches every pod once', async () => {
  const room = fresh();
  const all = await everywhere(room);
  const id = await said(here.b, room, { event: 'typing', data: 1, ephemeral: true });
  for (const one of all) await one.next({ event: 'typing', id, from: 'system', ephemeral: true });
  await here.marked(room, all);
  for (const one of all) expect(one.all({ event: 'typing' })).toHaveLength(1);
});

test('An ephemeral broadcast reaches both dialects on every pod once', async () => {
  const room = fresh();
  const all = await everywhere(room);
  const [zoe, yves] = [
    await namedListener(here.a, room, 'zoe', ['broadcast']),
    await namedListener(here.c, room, 'yves', ['broadcast']),
  ];
  const frame = { type: 'broadcast', channel: room, event: 'typing', payload: 1, ephemeral: true };
  const id = await published(zoe, frame);
  for (const one of all) await one.next({ event: 'typing', id, data: 1, ephemeral: true });
  for (const one of [zoe, yves]) await one.next({ event: 'typing', id, payload: 1, ephemeral: true });
  await here.marked(room, all);
  for (const one of [...all, zoe, yves]) expect(one.all({ event: 'typing' })).toHaveLength(1);
});

test('Ephemeral messages of one publisher keep their order on every pod', async () => {
  const room = fresh();
  const all = await everywhere(room);
  for (const n of range(1, 100)) all[1].send({ room, data: { n }, ephemeral: true });
  for (const one of all) await one.next({ data: { n: 100 } });
  for (const one of all) expect(numbers(one, room)).toEqual(range(1, 100));
});

test('An ephemeral message is in no history, and its id is no position on another pod', async () => {
  const room = fresh();
  const alice = await member(here.a, room, 'alice');
  const [position] = await numbered(alice, room, 1, 1);
  const id = await published(alice, { room, data: { n: 'typing' }, ephemeral: true });
  const bob = await guest(here.b);
  const undisturbed = await join(bob, room, { last_id: position });
  expect(undisturbed).toMatchObject({ data: { recovered: true, replayed: 0 } });
  await numbered(alice, room, 2, 2);
  const carol = await guest(here.c);
  const joined = await join(carol, room, { last_id: id });
  expect(joined).toMatchObject({ data: { recovered: false, reason: 'unknown_position', replayed: 2 } });
  await carol.next({ data: { n: 2 } });
  expect(numbers(carol, room)).toEqual([1, 2]);
});

test('With HISTORY_SIZE=0 every message crosses as an ephemeral one, once and in order, and none is kept', async () => {
  const env = { REDIS_PREFIX: 'forgetful:', HISTORY_SIZE: '0' };
  const [one, two] = [await here.pod(env), await here.pod(env)];
  const room = fresh();
  const [alice, bob] = [await member(one, room, 'alice'), await member(two, room, 'bob')];
  const [id] = await numbered(alice, room, 1, 1);
  for (const each of [alice, bob]) await each.next({ id, room, from: 'alice', ephemeral: true });
  for (const n of range(2, 50)) alice.send({ room, data: { n } });
  for (const each of [alice, bob]) {
    await each.next({ data: { n: 50 } });
    expect(numbers(each, room)).toEqual(range(1, 50));
    expect(new Set(ids(each, room)).size).toBe(50);
  }
  const late = await guest(two);
  expect(await join(late, room, { history: 10 })).toMatchObject({ data: { replayed: 0 } });
  expect(await here.redis.command('EXISTS', `forgetful:realtime:history:${room}`)).toBe(0);
});
