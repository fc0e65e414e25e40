import { expect, test } from 'vitest';
import { aWorld, at, present, told } from './world.ts';
import type { Client, Frame } from '../support/client.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { connections, fresh, guest, join, member, namedListener, published } from '../integration/people.ts';

const here = aWorld({ env: { PRESENCE_GRACE_SECONDS: '2' } });

const offline = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'offline' } });

async function watchers(room: string): Promise<[Client, Client]> {
  return [await member(here.a, room, 'alice'), await member(here.b, room, 'anna')];
}

/** Who is lost now is lost later than those before: when all are told of it, the grace of those is over. */
async function graceIsOver(room: string, watching: readonly Client[]): Promise<void> {
  const markers = here.pods.map(() => fresh('lost'));
  for (const [n, marker] of markers.entries()) {
    const client = await member(at(here.pods, n), room, marker);
    await client.terminate();
  }
  for (const marker of markers) for (const one of watching) await one.next(offline(marker));
}

test('A lost connection that does not return is announced as gone once on each pod, after the grace', async () => {
  const room = fresh();
  const all = await watchers(room);
  await (await member(here.b, room, 'bob')).terminate();
  await connections(here.b, 1);
  expect(Object.keys(await present(here.a, room))).toContain('bob');
  for (const one of all) await one.next(offline('bob'));
  expect(Object.keys(await present(here.a, room))).not.toContain('bob');
  await here.marked(room, all);
  for (const one of all) expect(told(one, 'bob', room)).toEqual(['online', 'offline']);
});

test('Who returns on another pod within the grace is announced to nobody, also when the grace is over', async () => {
  const room = fresh();
  const all = await watchers(room);
  const zoe = await namedListener(here.b, room, 'zoe', ['presence']);
  await (await member(here.a, room, 'bob')).terminate();
  await connections(here.a, 1);
  const back = await guest(here.b, 'bob');
  // Two watchers and bob: zoe is present nowhere.
  expect(await join(back, room)).toMatchObject({ data: { count: 3 } });
  await graceIsOver(room, [...all, back]);
  for (const one of all) expect(told(one, 'bob', room)).toEqual(['online']);
  expect(told(back, 'bob', room)).toEqual([]);
  expect(zoe.all({ channel: room, user_id: 'bob' }).map(({ type }) => type)).toEqual(['presence_join']);
  for (const pod of here.pods)
    expect(Object.keys(await present(pod, room))).toEqual(['alice', 'anna', 'bob']);
  await published(back, { room, data: 'still here' });
  for (const one of all) await one.next({ data: 'still here' });
});

test('Who goes back and forth between pods never left', async () => {
  const room = fresh();
  const all = await watchers(room);
  let bob = await member(here.a, room, 'bob');
  for (const pod of [here.b, here.a, here.b, here.b, here.a]) {
    await bob.terminate();
    bob = await member(pod, room, 'bob');
  }
  await graceIsOver(room, all);
  for (const one of all) expect(told(one, 'bob', room)).toEqual(['online']);
  for (const pod of here.pods) expect(Object.keys(await present(pod, room))).toContain('bob');
});

test('A user whose tabs on two pods are both lost is announced as gone once', async () => {
  const room = fresh();
  const all = await watchers(room);
  const tabs = [await member(here.a, room, 'bob'), await member(here.b, room, 'bob')];
  for (const one of tabs) await one.terminate();
  await graceIsOver(room, all);
  for (const one of all) expect(told(one, 'bob', room)).toEqual(['online', 'offline']);
  for (const pod of here.pods) expect(Object.keys(await present(pod, room))).not.toContain('bob');
});

test('A user of whose tabs one is lost and the other stays is not announced', async () => {
  const room = fresh();
  const all = await watchers(room);
  const [one, two] = [await member(here.a, room, 'bob'), await member(here.b, room, 'bob')];
  await one.terminate();
  await graceIsOver(room, all);
  for (const each of all) expect(told(each, 'bob', room)).toEqual(['online']);
  await two.close(1000);
  for (const each of all) await each.next(offline('bob'));
});

test('A user of whose tabs one is lost and the other then closes is announced as gone once, in the end', async () => {
  const room = fresh();
  const all = await watchers(room);
  const [one, two] = [await member(here.a, room, 'bob'), await member(here.b, room, 'bob')];
  await one.terminate();
  await connections(here.a, 1);
  await two.close(1000);
  await graceIsOver(room, all);
  for (const each of all) expect(told(each, 'bob', room)).toEqual(['online', 'offline']);
  for (const pod of here.pods) expect(Object.keys(await present(pod, room))).toEqual(['alice', 'anna']);
});

test('A presence of the channel dialect has the same grace on another pod', async () => {
  const room = fresh();
  const all = await watchers(room);
  const zoe = await namedListener(here.b, room, 'zoe', ['presence']);
  const come = async (pod: PodProcess): Promise<Client> => {
    const bob = await namedListener(pod, room, 'bob', []);
    await published(bob, { type: 'presence_join', channel: room, payload: { name: 'Bob' } });
    return bob;
  };
  // What it says of itself when it comes back is an update for those who have it already.
  const told = (): unknown[] =>
    zoe
      .all({ user_id: 'bob' })
      .map(({ type }) => type)
      .filter((type) => type !== 'presence_update');
  await (await come(here.a)).terminate();
  await connections(here.a, 1);
  const back = await come(here.b);
  await graceIsOver(room, all);
  expect(told()).toEqual(['presence_join']);
  await back.terminate();
  await graceIsOver(room, all);
  await expect.poll(told).toEqual(['presence_join', 'presence_leave']);
});

test('The users of a pod that is stopped may return to another; who does not is announced as gone once', async () => {
  const room = fresh();
  const all = await watchers(room);
  const another = await here.pod();
  const people = [await member(another, room, 'bob'), await member(another, room, 'carol')];
  expect(await another.stop()).toEqual({ code: 0, signal: null });
  for (const one of people) expect(await one.closed).toMatchObject({ code: 1012 });
  const back = await member(here.b, room, 'bob');
  for (const one of all) await one.next(offline('carol'));
  await here.marked(room, [...all, back]);
  for (const one of all) expect(told(one, 'carol', room)).toEqual(['online', 'offline']);
  for (const one of all) expect(told(one, 'bob', room)).toEqual(['online']);
  for (const pod of here.pods)
    expect(Object.keys(await present(pod, room))).toEqual(['alice', 'anna', 'bob']);
});
