import { describe, expect, test } from 'vitest';
import { aWorld, PATIENT, present, told } from './world.ts';
import { type Frame, part } from '../support/client.ts';
import { connections, fresh, guest, join, member, resume } from '../integration/people.ts';
import { offline, online, others, state, watchers } from './watching.ts';

// An hour of grace: what these tests see at once, they do not see because the grace was over.
const here = aWorld({ pods: 3, env: { PRESENCE_GRACE_SECONDS: '3600' } });

describe('A member', () => {
  test('is announced once on each pod when it comes and when it leaves, and not to itself', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const bob = await member(here.b, room, 'bob');
    for (const one of all) {
      const frame = await one.next(online('bob'));
      expect(frame).toMatchObject({ room, data: { user_id: 'bob', status: 'online', meta: {} } });
    }
    await here.marked(room, [...all, bob]);
    for (const one of all) expect(told(one, 'bob', room)).toEqual(['online']);
    expect(told(bob, 'bob', room)).toEqual([]);
    bob.send({ type: 'leave', room });
    await bob.next({ event: 'left', room });
    for (const one of all) await one.next(offline('bob'));
    await here.marked(room, all);
    for (const one of all) expect(told(one, 'bob', room)).toEqual(['online', 'offline']);
  });

  test('is announced as gone at once on each pod when it closes with 1000', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const bob = await member(here.c, room, 'bob');
    await bob.close(1000);
    for (const one of all) await one.next(offline('bob'));
    await here.marked(room, all);
    for (const one of all) expect(told(one, 'bob', room)).toEqual(['online', 'offline']);
    expect(await others(here, room)).toEqual({});
  });

  test('is told of all members on all pods, and how many they are, when it joins', async () => {
    const room = fresh();
    await watchers(here, room);
    for (const pod of [here.a, here.c]) {
      const user = fresh('bob');
      const bob = await guest(pod, user);
      const data = part(await join(bob, room), 'data') as { members: Frame[]; count: number };
      const users = data.members.map((row) => String(row['user_id']));
      expect(users.toSorted()).toEqual([user, 'watcher-0', 'watcher-1', 'watcher-2']);
      expect(data.count).toBe(4);
      const row = { user_id: user, status: 'online', meta: {}, updated_at: expect.any(Number) };
      expect(await others(here, room)).toEqual({ [user]: row });
      await bob.close(1000);
      await expect.poll(() => others(here, room), PATIENT).toEqual({});
    }
  });

  test('knows of those who were there before it on its own pod and on others alike', async () => {
    const room = fresh();
    const [one, two] = await Promise.all([member(here.a, room, 'bob'), member(here.b, room, 'carol')]);
    const rows = await Promise.all(here.pods.map((pod) => present(pod, room)));
    for (const row of rows) expect(Object.keys(row)).toEqual(['bob', 'carol']);
    // At least one of them came second and is told of the other; the first hears it announced.
    await here.marked(room, [one, two]);
    for (const [client, other] of [
      [one, 'carol'],
      [two, 'bob'],
    ] as const) {
      const { members } = part(client.all({ event: 'joined' })[0] ?? {}, 'data') as { members: Frame[] };
      const listed = members.some((row) => row['user_id'] === other);
      expect(listed || told(client, other, room).includes('online')).toBe(true);
    }
  });
});

describe('A lost connection', () => {
  test('is still present on all pods within the grace', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    await (await member(here.b, room, 'bob')).terminate();
    await connections(here.b, 1);
    await here.marked(room, all);
    for (const one of all) expect(told(one, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
  });

  test('that returns on another pod keeps its status and meta, and then leaves at once', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const before = await member(here.a, room, 'bob');
    await state(before, room, { status: 'away', meta: { mood: 'lunch' } });
    await before.terminate();
    await connections(here.a, 1);
    const back = await resume(here.b, room, 'bob', before);
    expect(await others(here, room)).toMatchObject({ bob: { status: 'away', meta: { mood: 'lunch' } } });
    await here.marked(room, all);
    for (const one of all) expect(told(one, 'bob', room)).toEqual(['online', 'away']);
    await back.close(1000);
    for (const one of all) await one.next(offline('bob'));
    expect(await others(here, room)).toEqual({});
  });
});

test('The hash of a room is readable in Redis: by user id, as JSON', async () => {
  const room = fresh();
  const [bob, carol] = [await member(here.a, room, 'bob'), await member(here.b, room, 'carol "c" ü')];
  await state(bob, room, { status: 'away', meta: { mood: 'lunch' } });
  const flat = (await here.redis.command('HGETALL', `presence:${room}`)) as string[];
  const rows = Object.fromEntries(
    flat.map((name, n) => [name, flat[n + 1] ?? '']).filter((_, n) => n % 2 === 0),
  );
  expect(Object.keys(rows).toSorted()).toEqual(['bob', 'carol "c" ü']);
  const shown = await present(here.c, room);
  for (const [user, json] of Object.entries(rows)) expect(JSON.parse(String(json))).toEqual(shown[user]);
  expect(shown['bob']).toMatchObject({ user_id: 'bob', status: 'away', meta: { mood: 'lunch' } });
  expect(Number(shown['bob']?.['updated_at'])).toBeLessThanOrEqual(Date.now() / 1_000 + 1);
  for (const one of [bob, carol]) await one.close(1000);
  await expect.poll(() => here.redis.command('EXISTS', `presence:${room}`), PATIENT).toBe(0);
});
