import { describe, expect, test } from 'vitest';
import { aWorld, told } from './world.ts';
import { connections, fresh, guest, join, member } from '../integration/people.ts';
import { offline, others, state, watchers } from './watching.ts';
import type { Client } from '../support/client.ts';

// An hour of grace: what these tests see at once, they do not see because the grace was over.
const here = aWorld({ pods: 3, env: { PRESENCE_GRACE_SECONDS: '3600' } });

/** Breaks the line of a client of the first pod, which has noticed once this resolves. */
async function lose(client: Client): Promise<void> {
  const answer = await fetch(`${here.a.url}/ws/stats`);
  const { connections: before } = (await answer.json()) as { connections: number };
  await client.terminate();
  await connections(here.a, before - 1);
}

describe('A user with tabs on two pods', () => {
  test('is one member, who comes with the first and leaves with the last', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const one = await member(here.a, room, 'bob');
    const two = await guest(here.b, 'bob');
    expect(await join(two, room)).toMatchObject({ data: { count: 4 } });
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
    await one.close(1000);
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
    two.send({ type: 'leave', room });
    for (const each of all) await each.next(offline('bob'));
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'offline']);
    expect(await others(here, room)).toEqual({});
  });

  test('has the status and meta that were said last, on whichever pod', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const tabs = [await member(here.a, room, 'bob'), await member(here.b, room, 'bob')] as const;
    const sayings = [
      { status: 'away', meta: { by: 1 } },
      { status: 'online', meta: { by: 2 } },
      { status: 'away', meta: { by: 3 } },
    ];
    for (const [n, said] of sayings.entries()) {
      await state(tabs[n === 1 ? 1 : 0], room, said);
      for (const each of all) await each.next({ type: 'presence', from: 'bob', data: said });
      expect(await others(here, room)).toMatchObject({ bob: said });
    }
    // What is not said stays as it was.
    await state(tabs[1], room, { meta: { by: 4 } });
    expect(await others(here, room)).toMatchObject({ bob: { status: 'away', meta: { by: 4 } } });
    await here.marked(room, all);
    for (const each of all)
      expect(told(each, 'bob', room)).toEqual(['online', 'away', 'online', 'away', 'away']);
  });

  test('stays visible when one of them says offline, and goes when both have', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const [one, two] = [await member(here.a, room, 'bob'), await member(here.b, room, 'bob')];
    await state(one, room, { status: 'offline' });
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
    await state(two, room, { status: 'offline' });
    for (const each of all) await each.next(offline('bob'));
    expect(await others(here, room)).toEqual({});
    await state(one, room, { status: 'online' });
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'offline', 'online']);
  });

  test('is shown alike to both of them', async () => {
    const room = fresh();
    const tabs = [
      await member(here.a, room, 'bob'),
      await member(here.a, room, 'bob'),
      await member(here.b, room, 'bob'),
    ];
    const [speaker, same, other] = tabs as [Client, Client, Client];
    await state(speaker, room, { status: 'away' });
    await here.marked(room, tabs);
    expect(told(other, 'bob', room)).toEqual(told(same, 'bob', room));
  });

  test('of which one is lost has the grace of that one, whatever another does meanwhile', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    await lose(await member(here.a, room, 'bob'));
    for (const pod of here.pods) {
      const closer = await member(pod, room, 'bob');
      await closer.close(1000);
      const leaver = await member(pod, room, 'bob');
      leaver.send({ type: 'leave', room });
      await leaver.next({ event: 'left', room });
      await leaver.close(1000);
    }
    await here.marked(room, all);
    for (const each of all) expect(told(each, 'bob', room)).toEqual(['online']);
    expect(Object.keys(await others(here, room))).toEqual(['bob']);
  });

  test('of which one is lost, resumes and then leaves is gone at once', async () => {
    const room = fresh();
    const all = await watchers(here, room);
    const lost = await guest(here.a, 'bob');
    const { data } = await join(lost, room);
    await lose(lost);
    const back = await guest(here.b, 'bob');
    await join(back, room, { last_id: (data as { position: string }).position });
    back.send({ type: 'leave', room });
    for (const each of all) await each.next(offline('bob'));
    expect(await others(here, room)).toEqual({});
  });
});
