import { describe, expect, onTestFinished, test } from 'vitest';
import { aWorld, told as toldOf, present } from './world.ts';
import { type Client, type Frame, part, until } from '../support/client.ts';
import { IN_ORDER, patiently, sentAway } from '../integration/ending.ts';
import { fresh, guest, member, published, range, settled } from '../integration/people.ts';
import type { PodProcess } from '../support/stack/pods.ts';

const here = aWorld({
  pods: 1,
  env: { PRESENCE_GRACE_SECONDS: '3', POD_LEASE_SECONDS: '3', HISTORY_SIZE: '10000' },
});

const COUNT = 50;

/** Says all numbers in one go, each in a frame with more in it. */
function say(client: Client, more: (n: number) => Frame, first = 1): void {
  for (const n of range(first, first + COUNT - 1)) client.send({ type: 'chat', data: { n }, ...more(n) });
}

/** In the room of the address. */
const withRef = (n: number): Frame => ({ ref: `ref-${n}` });

/** The numbers of a user, as the client heard them. */
function heard(client: Client, from: string): unknown[] {
  return client.all({ type: 'chat', from }).map((frame) => part(frame, 'data')['n']);
}

/** Calls back in the very moment in which the client learns that it is sent away, before it sees the close. */
function whenTold(client: Client, act: () => void): void {
  client.ws.on('message', () => {
    if (client.frames.at(-1)?.['event'] === 'drain') act();
  });
}

/** Some users on a pod that is about to end. */
async function crowd(pod: PodProcess, room: string, size: number): Promise<Map<string, Client>> {
  const all = new Map<string, Client>();
  for (const n of range(1, size)) all.set(`user-${n}`, await member(pod, room, `user-${n}`));
  return all;
}

describe('What is published while a pod is drained', () => {
  test('with a ref: is acked, or can be sent again on another pod, and is heard once', async () => {
    const room = fresh();
    const pod = await here.pod({ DRAIN_WINDOW_SECONDS: '1' });
    const listener = await member(here.a, room, 'listener');
    const people = await crowd(pod, room, 6);
    for (const one of people.values()) whenTold(one, () => say(one, withRef, COUNT + 1));
    const exit = pod.stop();
    for (const one of people.values()) say(one, withRef);
    for (const one of people.values()) await sentAway(one);
    expect(await exit).toEqual(IN_ORDER);
    const kept: Frame[] = [];
    for (const [user, before] of people) {
      const acked = new Map(before.all({ type: 'ack' }).map(({ ref, id }) => [ref, id]));
      const back = await guest(here.a, user);
      for (const n of range(1, 2 * COUNT)) {
        const { ref } = withRef(n);
        const id = await published(back, { type: 'chat', room, data: { n } }, String(ref));
        if (acked.has(ref)) expect(id).toBe(acked.get(ref));
        kept.push({ type: 'chat', id, from: user, data: { n } });
      }
    }
    await here.marked(room, [listener]);
    for (const { id, ...said } of kept) expect(listener.all(said)).toMatchObject([{ id }]);
  });

  test('with a ref, and not answered when the drain begins: is answered before the close', async () => {
    const room = fresh();
    const pod = await here.pod();
    const listener = await member(here.a, room, 'listener');
    const alice = await member(pod, room, 'alice');
    here.redis.freeze();
    onTestFinished(() => here.redis.thaw());
    say(alice, withRef);
    // The pod has read all of it.
    await settled(alice);
    const exit = pod.stop();
    await until('the drain', () => pod.output().includes('"draining"'));
    expect(alice.all({ type: 'ack' })).toEqual([]);
    here.redis.thaw();
    await sentAway(alice);
    expect(alice.all({ type: 'ack' }).map(({ ref }) => ref)).toEqual(range(1, COUNT).map((n) => `ref-${n}`));
    expect(await exit).toEqual(IN_ORDER);
    await here.marked(room, [listener]);
    expect(heard(listener, 'alice')).toEqual(range(1, COUNT));
  });

  test('without a ref, before the client sees the close: is heard, in order', async () => {
    const room = fresh();
    const pod = await here.pod({ DRAIN_WINDOW_SECONDS: '1' });
    const listener = await member(here.a, room, 'listener');
    const people = await crowd(pod, room, 6);
    for (const one of people.values()) whenTold(one, () => say(one, () => ({})));
    expect(await pod.stop()).toEqual(IN_ORDER);
    for (const one of people.values()) await sentAway(one);
    await here.marked(room, [listener]);
    for (const user of people.keys()) expect(heard(listener, user)).toEqual(range(1, COUNT));
  });

  test.each([
    ['to a room, without history', { ephemeral: true }],
    ['to one user', { to: 'listener' }],
  ])('%s, in the same moment: is heard, in order', async (_, more) => {
    const room = fresh();
    const pod = await here.pod();
    const listener = await member(here.a, room, 'listener');
    const alice = await member(pod, room, 'alice');
    whenTold(alice, () => {
      for (const n of range(0, 9)) say(alice, () => more, n * COUNT + 1);
    });
    expect(await pod.stop()).toEqual(IN_ORDER);
    await here.marked(room, [listener]);
    expect(heard(listener, 'alice')).toEqual(range(1, 10 * COUNT));
  });
});

describe('The presence of those who were on a pod that is drained', () => {
  const offline = (user: string): Frame => ({ type: 'presence', from: user, data: { status: 'offline' } });

  test('is handed over: who comes back never left, who does not is announced as gone once', async () => {
    const room = fresh();
    const pod = await here.pod();
    const watcher = await member(here.a, room, 'watcher');
    const [bob, carol] = [await member(pod, room, 'bob'), await member(pod, room, 'carol')];
    const away = { status: 'away', meta: { seat: 1 } };
    await published(bob, { type: 'presence', room, data: away });
    await watcher.next({ type: 'presence', from: 'bob', data: away });
    const exit = pod.stop();
    for (const one of [bob, carol]) await sentAway(one);
    const back = await member(here.a, room, 'bob');
    expect(await exit).toEqual(IN_ORDER);
    expect(Object.keys(await present(here.a, room))).toEqual(['bob', 'carol', 'watcher']);
    expect(toldOf(watcher, 'carol', room)).toEqual(['online']);
    await watcher.next(offline('carol'));
    await here.marked(room, [watcher, back]);
    expect(Object.keys(await present(here.a, room))).toEqual(['bob', 'watcher']);
    expect(toldOf(watcher, 'carol', room)).toEqual(['online', 'offline']);
    expect(toldOf(watcher, 'bob', room)).not.toContain('offline');
    expect(toldOf(watcher, 'bob', room).filter((status) => status === 'online')).toEqual(['online']);
    expect(toldOf(back, 'bob', room)).toEqual([]);
    // Nobody waits any more for the one who was on the other pod.
    await back.close(1000);
    await watcher.next(offline('bob'));
    expect(Object.keys(await present(here.a, room))).toEqual(['watcher']);
  });

  test('outlasts the grace for those who were asked to stay away for longer', async () => {
    const room = fresh();
    const pod = await here.pod({ HANDSHAKES_PER_SECOND: '1' });
    const watcher = await member(here.a, room, 'watcher');
    const users = range(0, 5).map((n) => `user-${n}`);
    const people = new Map<string, Client>();
    for (const user of users) people.set(user, await patiently(() => member(pod, room, user)));
    expect(await pod.stop()).toEqual(IN_ORDER);
    const told = await Promise.all([...people.values()].map((one) => sentAway(one)));
    expect(Math.max(...told), 'longer than the grace').toBeGreaterThan(3_000);
    await Promise.all(
      users.map(async (user, index) => {
        // As a client does that was asked to.
        await new Promise((resolve) => setTimeout(resolve, told[index]));
        await member(here.a, room, user);
      }),
    );
    await here.marked(room, [watcher]);
    for (const user of users) expect(toldOf(watcher, user, room)).toEqual(['online']);
    expect(Object.keys(await present(here.a, room))).toEqual([...users, 'watcher']);
  });
});
