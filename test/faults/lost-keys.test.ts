import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { present, told } from '../many-pods/world.ts';
import { type Client, type Frame } from '../support/client.ts';
import { eventually, podOn, presenceIs, SLOW } from './world.ts';
import { member } from '../integration/people.ts';
import { offline, state } from '../many-pods/watching.ts';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';

/** Pods look after their members every second; nobody is sent to another one, which has fewer. */
const SHORT = {
  POD_LEASE_SECONDS: '2',
  PRESENCE_TTL_SECONDS: '3',
  PRESENCE_GRACE_SECONDS: '1',
  REBALANCE_PERCENT: '0',
};
/**
 * A lease is renewed every 0.7 s. In so many renewals a pod has looked after its members more than once, and a lease and
 * a grace period that had been running have ended.
 */
const RENEWALS = 5;

let redis: RedisServer;
let pods: PodProcess[] = [];
beforeAll(async () => {
  redis = await startRedis();
  pods = await Promise.all([1, 2, 3].map((n) => startPodProcess(`pod-${n}`, { ...SHORT, ...redis.env })));
}, 60_000);
afterAll(async () => {
  await Promise.all(pods.map((pod) => pod.discard()));
  await redis.discard();
});

let rooms = 0;

/** One member on each pod, and a second tab of alice on the second pod, which said something later than the first. */
interface Cast {
  readonly room: string;
  readonly people: readonly [alice: Client, bob: Client, carol: Client, tab: Client];
  readonly rows: Record<string, Frame>;
}

const ALICE = { status: 'online', meta: { at: 'the second tab' } };
const CAROL = { status: 'away', meta: { at: 'lunch' } };

async function cast(on: readonly PodProcess[] = pods): Promise<Cast> {
  const [one, two, three] = on as [PodProcess, PodProcess, PodProcess];
  const room = `lost-${(rooms += 1)}`;
  const alice = await member(one, room, 'alice');
  await state(alice, room, { status: 'away', meta: { at: 'the first tab' } });
  const bob = await member(two, room, 'bob');
  const carol = await member(three, room, 'carol');
  await state(carol, room, CAROL);
  const tab = await member(two, room, 'alice');
  await state(tab, room, ALICE);
  const people = [alice, bob, carol, tab] as const;
  for (const each of people) await each.next({ type: 'presence', room, from: 'alice', data: ALICE });
  return { room, people, rows: await shown(one, room) };
}

/** How each member of the room is, as a pod shows it. */
async function shown(pod: PodProcess, room: string): Promise<Record<string, Frame>> {
  const rows = await present(pod, room);
  return Object.fromEntries(Object.entries(rows).map(([user, { status, meta }]) => [user, { status, meta }]));
}

async function wholeAgain({ room, rows }: Cast, on: readonly PodProcess[] = pods): Promise<void> {
  for (const pod of on) {
    let found: Record<string, Frame> = {};
    await eventually(
      'all members as they were',
      async () => {
        found = await shown(pod, room);
        return JSON.stringify(found) === JSON.stringify(rows);
      },
      () => `there were ${JSON.stringify(found)}`,
    );
  }
  // What a large room is counted by.
  await eventually('a right count', async () => {
    const kinds = ['presence', 'realtime:tabs'];
    const counts = await Promise.all(
      kinds.map((kind) => redis.command('HLEN', `${kind}:${room}`).catch(() => -1)),
    );
    return counts.every((count) => count === Object.keys(rows).length);
  });
}

/** What everybody has been told of the presence of everybody, in turn. */
function toldOf({ people, room }: Cast): unknown[] {
  return people.map((one) => ['alice', 'bob', 'carol', 'dave'].map((user) => told(one, user, room)));
}

async function leave(client: Client, room: string): Promise<void> {
  client.send({ type: 'leave', room });
  await client.next({ event: 'left', room });
}

/** The names of leases, as the pods hold them now. */
async function leases(): Promise<string[]> {
  return (await redis.command('ZRANGE', 'realtime:pods', '0', '-1')) as string[];
}

/**
 * Resolves once three pods have renewed their leases so often that whatever was to be announced has been. It counts what
 * pods do and not the time, which says little on a loaded machine.
 */
async function quiet(): Promise<void> {
  const last = new Map<string, string>();
  const renewed = new Map<string, number>();
  await eventually('renewed leases', async () => {
    const read = redis.command('ZRANGE', 'realtime:pods', '0', '-1', 'WITHSCORES');
    // While the leases are of another type there are none.
    const rows = (await read.catch(() => [])) as string[];
    for (let at = 0; at < rows.length; at += 2) {
      const [pod = '', ends = ''] = rows.slice(at);
      if (last.has(pod) && last.get(pod) !== ends) renewed.set(pod, (renewed.get(pod) ?? 0) + 1);
      last.set(pod, ends);
    }
    return [...renewed.values()].filter((count) => count >= RENEWALS).length >= pods.length;
  });
}

type Harm = (room: string) => Promise<readonly (readonly string[])[]>;

const KEYS: Record<string, Harm> = {
  'the rows': async (room) => [['DEL', `presence:${room}`]],
  'the tabs': async (room) => [['DEL', `realtime:tabs:${room}`]],
  'the pods’ rooms': async () => (await leases()).map((pod) => ['DEL', `realtime:pod-presence-rooms:${pod}`]),
  leases: async () => [['DEL', 'realtime:pods']],
  graves: async () => [['DEL', 'realtime:graves']],
};

function together(...harms: readonly (Harm | undefined)[]): Harm {
  return async (room) => (await Promise.all(harms.map(async (one) => one?.(room) ?? []))).flat();
}

const pairs = Object.keys(KEYS).flatMap((one, at, all) =>
  all.slice(at + 1).map((other): [string, Harm] => [`${one} and ${other}`, together(KEYS[one], KEYS[other])]),
);

const HARMS: [string, Harm][] = [
  ...Object.entries(KEYS),
  ...pairs,
  ['one user’s row', async (room) => [['HDEL', `presence:${room}`, 'alice']]],
  ['one user’s tabs', async (room) => [['HDEL', `realtime:tabs:${room}`, 'alice']]],
  [
    'one user',
    async (room) => [
      ['HDEL', `presence:${room}`, 'carol'],
      ['HDEL', `realtime:tabs:${room}`, 'carol'],
    ],
  ],
  ['a row, overwritten', async (room) => [['HSET', `presence:${room}`, 'carol', 'garbage']]],
  [
    'a row, by that of another',
    async (room) => [
      ['HSET', `presence:${room}`, 'carol', '{"user_id":"zoe","status":"online","meta":{},"updated_at":1}'],
    ],
  ],
  [
    'tabs, overwritten',
    async (room) => [['HSET', `realtime:tabs:${room}`, 'alice', 'garbage @ =x a@b c@d.1x']],
  ],
  ['the rows, by another type', async (room) => [['SET', `presence:${room}`, 'garbage']]],
  ['the tabs, by another type', async (room) => [['SET', `realtime:tabs:${room}`, 'garbage']]],
  [
    'the pods’ rooms, by another type',
    async () => (await leases()).map((pod) => ['SET', `realtime:pod-presence-rooms:${pod}`, 'garbage']),
  ],
  ['leases, by another type', async () => [['SET', 'realtime:pods', 'garbage']]],
  [
    'leases and graves, by another type',
    async () => ['pods', 'graves'].map((kind) => ['SET', `realtime:${kind}`, 'garbage']),
  ],
  [
    'that a pod which lives is buried',
    async (room) => (await leases()).map((pod) => ['SET', `realtime:pod-buried:${room}:${pod}`, '1']),
  ],
];

async function harm(room: string, how: Harm): Promise<void> {
  for (const [name = '', ...args] of await how(room)) await redis.command(name, ...args);
}

/** All is whole again, nobody is announced for it, and whoever leaves later is announced once. */
async function isMended(how: Harm): Promise<void> {
  const here = await cast();
  const [alice, bob, carol, tab] = here.people;
  const before = toldOf(here);
  await harm(here.room, how);
  await wholeAgain(here);
  await quiet();
  await wholeAgain(here);
  expect(toldOf(here)).toEqual(before);

  await leave(carol, here.room);
  await leave(alice, here.room);
  for (const one of [bob, tab]) await one.next(offline('carol'));
  await presenceIs(pods, here.room, ['alice', 'bob']);
  await leave(tab, here.room);
  await bob.next(offline('alice'));
  await presenceIs(pods, here.room, ['bob']);
  await quiet();
  expect(told(bob, 'carol', here.room)).toEqual(['online', 'away', 'offline']);
  expect(told(bob, 'alice', here.room)).toEqual(['online', 'offline']);
  await presenceIs(pods, here.room, ['bob']);
}

/** Runs all cases at the same time, each in a room of its own, and fails with the names of those that failed. */
async function atOnce(
  cases: readonly [string, Harm][],
  run: (one: [string, Harm]) => Promise<void>,
): Promise<void> {
  const done = await Promise.allSettled(cases.map(run));
  const failures = cases.flatMap(([name], at) => {
    const one = done[at];
    return one?.status === 'rejected' ? [`${name}: ${String(one.reason)}`] : [];
  });
  expect(failures).toEqual([]);
}

/** After these all pods write everything anew. */
const OF_ALL_ROOMS = HARMS.filter(([name]) => /leases|buried/.test(name));

describe('What is lost in Redis is whole again, and nobody is announced for it:', () => {
  test.for(OF_ALL_ROOMS)('%s', SLOW, ([, how]) => isMended(how));

  test('anything else, each in a room of its own', SLOW, async () => {
    const others = HARMS.filter((one) => !OF_ALL_ROOMS.includes(one));
    await atOnce(others, ([, how]) => isMended(how));
  });
});

describe('Before what is lost is whole again', () => {
  const lost = (what: string): Harm => new Map(HARMS).get(what) ?? together();
  const cases = (...names: readonly string[]): [string, Harm][] => names.map((name) => [name, lost(name)]);

  const leaves = async ([, how]: [string, Harm]): Promise<void> => {
    const here = await cast();
    const [alice, bob, carol, tab] = here.people;
    await harm(here.room, how);
    await leave(carol, here.room);
    // alice is there through another connection.
    await leave(alice, here.room);
    for (const one of [bob, tab]) await one.next(offline('carol'));
    await presenceIs(pods, here.room, ['alice', 'bob']);
    await quiet();
    await presenceIs(pods, here.room, ['alice', 'bob']);
    expect(told(bob, 'carol', here.room)).toEqual(['online', 'away', 'offline']);
    expect(told(bob, 'alice', here.room)).toEqual(['online']);
  };
  test('a user who leaves is announced once, and is gone', SLOW, () =>
    atOnce(cases('the rows', 'the tabs', 'the rows and the tabs'), leaves),
  );

  const comes = async ([, how]: [string, Harm]): Promise<void> => {
    const here = await cast();
    const [, bob] = here.people;
    const before = toldOf(here);
    await harm(here.room, how);
    const third = await member(pods[2] as PodProcess, here.room, 'alice');
    await wholeAgain(here);
    await quiet();
    await wholeAgain(here);
    expect(toldOf(here)).toEqual(before);
    expect(told(third, 'bob', here.room)).toEqual([]);
    // Through whichever: one of the three remains.
    await leave(third, here.room);
    await quiet();
    expect(told(bob, 'alice', here.room)).toEqual(['online']);
  };
  test('a user who comes by another connection is not announced', SLOW, () =>
    atOnce(cases('the rows', 'the tabs'), comes),
  );

  const returns = async ([, how]: [string, Harm]): Promise<void> => {
    const here = await cast();
    const [alice, bob, carol] = here.people;
    const heard = (): unknown[] => [alice, carol].map((one) => told(one, 'bob', here.room));
    const before = heard();
    await bob.terminate();
    await harm(here.room, how);
    await member(pods[0] as PodProcess, here.room, 'bob');
    await wholeAgain(here);
    await quiet();
    await wholeAgain(here);
    expect(heard()).toEqual(before);
  };
  test('a user who was lost and returns has never left', SLOW, () =>
    atOnce(cases('the rows', 'the tabs'), returns),
  );

  test.for(['the rows', 'the tabs', 'the pods’ rooms', 'leases', 'the tabs and the pods’ rooms'])(
    'a pod may die: its members are gone, announced once: %s',
    SLOW,
    async (what) => {
      const other = await podOn(redis, SHORT);
      const here = await cast([pods[0], pods[1], other] as PodProcess[]);
      const [, bob] = here.people;
      await harm(here.room, lost(what));
      await other.kill();
      await presenceIs(pods, here.room, ['alice', 'bob']);
      await bob.next(offline('carol'));
      await quiet();
      await presenceIs(pods, here.room, ['alice', 'bob']);
      expect(told(bob, 'carol', here.room)).toEqual(['online', 'away', 'offline']);
      expect(told(bob, 'alice', here.room)).toEqual(['online']);
    },
  );
});

test(
  'Of a pod that died nobody stays for good, although it is no longer known that it is to be cleaned up after',
  SLOW,
  async () => {
    const other = await podOn(redis, SHORT);
    const before = await leases();
    const here = await cast([pods[0], pods[1], other] as PodProcess[]);
    const [, bob] = here.people;
    await other.kill();
    // Those that live take theirs again, the other one not.
    for (const pod of before) await redis.command('ZREM', 'realtime:pods', pod);
    await presenceIs(pods, here.room, ['alice', 'bob']);
    await bob.next(offline('carol'));
    await quiet();
    expect(told(bob, 'carol', here.room)).toEqual(['online', 'away', 'offline']);
  },
);

test('Whom no pod knows is not there for good, and nobody but those concerned is told', SLOW, async () => {
  const here = await cast();
  const row = '{"user_id":"zoe","status":"online","meta":{},"updated_at":1}';
  await redis.command('HSET', `presence:${here.room}`, 'zoe', row, 'junk', 'junk');
  await redis.command('HSET', `realtime:tabs:${here.room}`, 'yves', 'y1@pod-of-nobody.0');
  await presenceIs(pods, here.room, ['alice', 'bob', 'carol', 'zoe']);
  await wholeAgain(here);
  const left = async (): Promise<unknown> =>
    Promise.all(['presence', 'realtime:tabs'].map((kind) => redis.command('HLEN', `${kind}:${here.room}`)));
  await eventually('no rows but theirs', async () => String(await left()) === '3,3');
  expect(told(here.people[1], 'alice', here.room)).toEqual(['online']);
});

test('The members of a pod stay, although another one keeps presence for less time', SLOW, async () => {
  const [long, short] = [
    await podOn(redis, { ...SHORT, PRESENCE_TTL_SECONDS: '3600' }),
    await podOn(redis, { ...SHORT, PRESENCE_TTL_SECONDS: '3' }),
  ];
  const room = `lost-${(rooms += 1)}`;
  await member(long, room, 'alice');
  const bob = await member(short, room, 'bob');
  // It has kept the room at least once.
  await quiet();
  await bob.close(1000);
  await short.kill();
  await presenceIs([long], room, ['alice']);
  await quiet();
  await presenceIs([long], room, ['alice']);
  expect(Number(await redis.command('PTTL', `presence:${room}`))).toBeGreaterThan(60_000);
});
