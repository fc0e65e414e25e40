import { expect, test } from 'vitest';
import { aWorld, at, PATIENT, present, told } from './world.ts';
import { type Client, type Frame, part } from '../support/client.ts';
import { fresh, guest, join, member, namedListener } from '../integration/people.ts';

const here = aWorld({ env: { PRESENCE_EVENTS_LIMIT: '3', PRESENCE_GRACE_SECONDS: '0' } });

test('Up to PRESENCE_EVENTS_LIMIT members on all pods single joins are announced', async () => {
  const room = fresh();
  const all: Client[] = [];
  for (const [n, pod] of [here.a, here.b, here.a].entries()) all.push(await member(pod, room, `user-${n}`));
  await here.marked(room, all);
  expect(told(at(all, 0), 'user-1', room)).toEqual(['online']);
  for (const one of all.slice(0, 2)) expect(told(one, 'user-2', room)).toEqual(['online']);
  for (const one of all) expect(one.all({ event: 'members' })).toEqual([]);
});

test('Above it the number of members on all pods is announced on each pod, and not their names', async () => {
  const room = fresh();
  const watching = [await member(here.a, room, 'alice'), await member(here.b, room, 'anna')];
  const zoe = await namedListener(here.b, room, 'zoe', ['presence']);
  await member(here.a, room, 'third');
  const more: Client[] = [];
  for (const [n, pod] of [here.b, here.a, here.b].entries()) more.push(await member(pod, room, `user-${n}`));
  for (const one of watching) await one.next({ type: 'system', event: 'members', room, data: { count: 6 } });
  await zoe.next({ type: 'members', channel: room, count: 6 });
  for (const one of more.slice(0, 2)) await one.close(1000);
  for (const one of watching) await one.next({ event: 'members', data: { count: 4 } });
  await zoe.next({ type: 'members', channel: room, count: 4 });
  for (const one of watching) for (const n of [0, 1, 2]) expect(told(one, `user-${n}`, room)).toEqual([]);
  expect(zoe.all((frame) => String(frame['user_id']).startsWith('user'))).toEqual([]);
});

test('Above it joined has the whole count and a cut list, and HTTP has everybody', async () => {
  const room = fresh();
  for (let n = 0; n < 5; n += 1) await member(n % 2 === 0 ? here.a : here.b, room, `user-${n}`);
  for (const pod of here.pods) {
    const newcomer = await guest(pod, 'newcomer');
    const data = part(await join(newcomer, room), 'data') as { count: number; members: Frame[] };
    expect(data.count).toBe(6);
    expect(data.members).toHaveLength(3);
    expect(Object.keys(await present(pod, room))).toHaveLength(6);
    await newcomer.close(1000);
    await expect.poll(async () => Object.keys(await present(pod, room)), PATIENT).toHaveLength(5);
  }
});

test('Back at the limit single joins and leaves are announced again, on each pod', async () => {
  const room = fresh();
  const watching = [await member(here.a, room, 'alice'), await member(here.b, room, 'anna')];
  const more = [await member(here.b, room, 'user-0'), await member(here.a, room, 'user-1')];
  for (const one of watching) await one.next({ event: 'members', data: { count: 4 } });
  for (const one of more) await one.close(1000);
  await expect.poll(async () => Object.keys(await present(here.a, room)), PATIENT).toEqual(['alice', 'anna']);
  const bob = await member(here.b, room, 'bob');
  for (const one of watching) await one.next({ type: 'presence', from: 'bob', data: { status: 'online' } });
  await bob.close(1000);
  for (const one of watching) await one.next({ type: 'presence', from: 'bob', data: { status: 'offline' } });
});
