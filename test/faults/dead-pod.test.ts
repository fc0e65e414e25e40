import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { open, refused } from '../support/client.ts';
import {
  connectionsIn,
  eventually,
  get,
  podOn,
  podsOn,
  presenceIs,
  ready,
  redisOf,
  SLOW,
  usersIn,
} from './world.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReceiver } from '../webhooks/receiver.ts';
import { Witness } from './witness.ts';

const MEMBERS = 1_000;

interface Event {
  readonly type: string;
  readonly room: string;
  readonly user_id?: string;
}

/** A webhook that takes everything; gives what has come. */
async function eventsOf(): Promise<{ env: Record<string, string>; events: Event[] }> {
  const { origin, deliveries } = await startReceiver();
  const events: Event[] = [];
  const takeAll = async (): Promise<void> => {
    for (;;) {
      const delivery = await deliveries.take();
      events.push(...(delivery.events as unknown as Event[]));
      delivery.answer(200);
    }
  };
  void takeAll();
  return { env: { WEBHOOK_URL: `${origin}/hook`, WEBHOOK_SECRET: 'a very secret secret' }, events };
}

/** Is present in the room and reads nothing: what a thousand of them would read is not looked at. */
async function crowdMember(pod: PodProcess, room: string, user: string): Promise<WebSocket> {
  const ws = new WebSocket(`${pod.wsUrl}/ws?user_id=${user}`, { perMessageDeflate: false });
  onTestFinished(() => ws.terminate());
  ws.on('error', () => undefined);
  await once(ws, 'open');
  ws.send(JSON.stringify({ type: 'subscribe', channel: room, listen: ['broadcast'] }));
  ws.send(JSON.stringify({ type: 'presence_join', channel: room }));
  return ws;
}

async function crowdOn(pod: PodProcess, room: string, users: readonly string[]): Promise<void> {
  const waiting = [...users];
  const work = async (): Promise<void> => {
    for (let user = waiting.pop(); user !== undefined; user = waiting.pop())
      await crowdMember(pod, room, user);
  };
  await Promise.all(Array.from({ length: 50 }, work));
}

/** How often each user was announced to have come or gone. */
function announced(witness: Witness, status: 'online' | 'offline'): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { type, from, data } of witness.frames) {
    if (type !== 'presence' || (data as { status?: string }).status !== status) continue;
    counts.set(String(from), (counts.get(String(from)) ?? 0) + 1);
  }
  return counts;
}

function onceEach(users: readonly string[]): Map<string, number> {
  return new Map(users.toSorted().map((user) => [user, 1]));
}

function sorted(counts: Map<string, number>): Map<string, number> {
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface Full {
  readonly events: readonly Event[];
  readonly pods: readonly [PodProcess, PodProcess];
  readonly doomed: PodProcess;
  readonly watchers: readonly Witness[];
  readonly crowd: readonly string[];
}

/** One pod with a thousand members, two with a watcher each; everybody knows of everybody. The second has two places. */
async function fullPod(): Promise<Full> {
  const { env, events } = await eventsOf();
  const redis = await redisOf();
  const settings = {
    ...env,
    PRESENCE_EVENTS_LIMIT: '2000',
    HANDSHAKES_PER_SECOND: '5000',
    MAX_CONNECTIONS_PER_USER: '2',
  };
  const pods = await podsOn(redis, settings);
  const [here, there] = pods;
  const doomed = await podOn(redis, settings);
  const watchers = [await Witness.join(here, 'room', 'here'), await Witness.join(there, 'room', 'there')];
  const crowd = Array.from({ length: MEMBERS }, (_, index) => `user-${index}`);
  await crowdOn(doomed, 'room', crowd);
  await open(doomed, `/ws?dialect=message&user_id=${crowd[1]}`);
  await presenceIs([here], 'room', ['here', 'there', ...crowd]);
  await eventually('joins reported', () => count(events, 'member_joined') === MEMBERS + 2);
  await eventually('all counted', async () => (await connectionsIn(here, 'room')) === MEMBERS + 2);
  for (const one of watchers) {
    await eventually('joins announced', () => crowd.every((user) => announced(one, 'online').has(user)));
  }
  return { events, pods, doomed, watchers, crowd };
}

test('a pod killed with a thousand members', SLOW, async () => {
  const { events, pods, doomed, watchers, crowd } = await fullPod();
  const [here, there] = pods;
  const [back = '', twice = ''] = crowd;
  expect(await refused(here, `/ws?user_id=${twice}`)).toMatchObject({ status: 429 });
  await doomed.kill();
  const returned = await Witness.join(here, 'room', back);
  await presenceIs(pods, 'room', ['here', 'there', back]);
  const gone = crowd.filter((user) => user !== back);
  await eventually('leaves reported', () => count(events, 'member_left') >= gone.length);
  for (const one of watchers) {
    await eventually(`leaves announced to ${one.user}`, () => announced(one, 'offline').size >= gone.length);
    await settle(one);
    expect(sorted(announced(one, 'offline'))).toEqual(onceEach(gone));
    const others = watchers.filter((other) => other !== one && one.user === 'here').map(({ user }) => user);
    expect(sorted(announced(one, 'online'))).toEqual(onceEach([...crowd, ...others]));
  }
  expect(announced(returned, 'offline').has(back)).toBe(false);
  await eventually('connections freed', async () => (await connectionsIn(there, 'room')) === 3);
  for (const pod of pods)
    await (await open(pod, `/ws?dialect=message&user_id=${twice}`)).next({ event: 'connected' });
  expect(await refused(here, `/ws?user_id=${twice}`)).toMatchObject({ status: 429 });
  const left = events.filter(({ type }) => type === 'member_left').map(({ user_id: user = '' }) => user);
  expect(left.toSorted()).toEqual(gone.toSorted());
  expect(count(events, 'member_joined')).toBe(MEMBERS + 2);
  expect((await get(there, '/api/rooms/room/presence')).status).toBe(200);
});

function count(events: readonly Event[], type: string): number {
  return events.filter((event) => event.type === type).length;
}

/** Whatever was on its way to it has come. */
async function settle(witness: Witness): Promise<void> {
  witness.client.send({ type: 'ping', ref: 'settled' });
  await witness.client.next({ type: 'pong', ref: 'settled' });
}

test('a large room whose single leaves are not announced is counted', SLOW, async () => {
  const redis = await redisOf();
  const here = await podOn(redis, { PRESENCE_EVENTS_LIMIT: '10' });
  const doomed = await podOn(redis, { PRESENCE_EVENTS_LIMIT: '10' });
  const watcher = await Witness.join(here, 'room', 'here');
  const crowd = Array.from({ length: 50 }, (_, index) => `user-${index}`);
  await crowdOn(doomed, 'room', crowd);
  await presenceIs([here], 'room', ['here', ...crowd]);
  await watcher.client.next({ event: 'members', data: { count: 51 } });
  await doomed.kill();
  await presenceIs([here], 'room', ['here']);
  // The last ones leave a small room: they are named.
  await eventually('the end', () => announced(watcher, 'offline').size === 10);
  expect(watcher.frames.some(({ event }) => event === 'members')).toBe(true);
  expect([...announced(watcher, 'offline').values()].every((times) => times === 1)).toBe(true);
});

test('a pod frozen for longer than its lease comes back with its members', SLOW, async () => {
  const redis = await redisOf();
  const [here, frozen] = await podsOn(redis);
  const third = await podOn(redis);
  const watcher = await Witness.join(here, 'room', 'watcher');
  const other = await Witness.join(third, 'room', 'other');
  const users = ['alice', 'bob', 'carol'];
  const members = [];
  for (const user of users) members.push(await Witness.join(frozen, 'room', user));
  await eventually('joins', () => announced(watcher, 'online').size === 4);
  frozen.freeze();
  await presenceIs([here, third], 'room', ['watcher', 'other']);
  for (let n = 0; n < 200; n += 1) watcher.say();
  await eventually('leaves', () => announced(watcher, 'offline').size === 3);
  frozen.thaw();
  await presenceIs([here, third, frozen], 'room', ['watcher', 'other', ...users]);
  watcher.say();
  for (const one of [watcher, other, ...members]) {
    await eventually('what was said meanwhile', () => one.heard().length === 201);
    expect(one.heard().map(({ n }) => n)).toEqual(Array.from({ length: 201 }, (_, index) => index + 1));
    expect(one.losses()).toEqual([]);
  }
  for (const one of [watcher, other]) {
    await eventually('their return', () =>
      users.every((user) => announced(one, 'online').get(user) === 2 || one === other),
    );
    expect(sorted(announced(one, 'offline'))).toEqual(onceEach(users));
  }
  expect(await connectionsIn(here, 'room')).toBe(5);
  expect(await usersIn(frozen, 'room')).toEqual(await usersIn(here, 'room'));
});

test(
  'who was there through a dead pod leaves, although presence was to end before anybody could clean up after it',
  SLOW,
  async () => {
    const redis = await redisOf();
    const [a, b] = await podsOn(redis, { POD_LEASE_SECONDS: '2', PRESENCE_TTL_SECONDS: '3' });
    await ready(a, b);
    await Witness.join(a, 'r', 'alice');
    await Witness.join(b, 'r', 'bob');
    await presenceIs([b], 'r', ['alice', 'bob']);
    await a.kill();
    // A pod that has just come back lets others do so, for the length of a lease, before it takes any for dead.
    for (let second = 0; second < 5; second += 1) {
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
      // The fault itself: it lasts longer than presence would.
      await sleep(1_000);
    }
    await presenceIs([b], 'r', ['bob']);
  },
);
