import { expect, test } from 'vitest';
import type { RedisGroup } from '../support/stack/redis-group.ts';
import { allAcked, allHeard, expectNoRepeat, saidBy } from './judge.ts';
import { eventually, get, groupOf, podsOn, post, ready, redisOf, SLOW } from './world.ts';
import { Witness } from './witness.ts';

/** The master takes this, and dies before any replica has it; another one goes on. */
async function dropped(group: RedisGroup, take: () => Promise<unknown>): Promise<void> {
  const old = await group.master();
  const replicas = await group.replicas();
  for (const replica of replicas) replica.freeze();
  // Else the kernel would hold for them what the master sends.
  await old.command('CLIENT', 'KILL', 'TYPE', 'replica');
  await take();
  await old.kill();
  for (const replica of replicas) replica.thaw();
  await group.masterOtherThan(old);
}

test('a failover that drops acknowledged messages is told to everybody', SLOW, async () => {
  const group = await groupOf();
  const pods = await podsOn(group);
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  const carol = await Witness.join(there, 'room', 'carol');
  const early = await Witness.join(here, 'room', 'early');
  const late = await Witness.join(there, 'room', 'late');
  alice.say();
  await allHeard([alice, carol, early, late], saidBy([alice]));
  await early.leave();
  await dropped(group, async () => {
    alice.say();
    await allAcked([alice]);
    await allHeard([carol, late], saidBy([alice]));
  });
  await late.leave();
  await ready(...pods);
  const master = await group.master();
  expect(await master.command('XLEN', 'realtime:history:room')).toBe(1);
  await late.return(there);
  expect(await late.verdict()).toMatchObject({ recovered: false, reason: 'history_lost' });
  await early.return(here);
  expect(await early.verdict()).toMatchObject({ recovered: false, reason: 'history_lost' });
  alice.say();
  await eventually('the third', () =>
    [alice, carol, early, late].every((one) => one.heard().some(({ n }) => n === 3)),
  );
  for (const one of [alice, carol]) expect(one.losses()).toEqual(['history_lost']);
  expectNoRepeat([alice, carol, early, late]);
});

test('who never saw what was dropped is told by a pod that did', SLOW, async () => {
  const group = await groupOf();
  const pods = await podsOn(group);
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  const early = await Witness.join(here, 'room', 'early');
  alice.say();
  await allHeard([alice, bob, carol, early], saidBy([alice]));
  await early.leave();
  await dropped(group, async () => {
    alice.say();
    await allAcked([alice]);
    await allHeard([bob, carol], saidBy([alice]));
  });
  await ready(...pods);
  const joined = await early.return(here);
  await expect((await group.master()).command('XLEN', 'realtime:history:room')).resolves.toBe(1);
  // At once, or when it is found out; but not "nothing is missing" and nothing else.
  await eventually(
    'early to be told',
    () => early.losses().includes('history_lost'),
    () => JSON.stringify(joined),
  );
  for (const one of [alice, bob, carol]) {
    await eventually('a member to be told', () => one.losses().includes('history_lost'));
  }
  carol.say();
  await eventually('what goes on', () =>
    [alice, bob, early].every((one) => one.heard().some(({ by }) => by === 'carol')),
  );
  expectNoRepeat([alice, bob, carol, early]);
});

test('a message after the failover does not hide what was dropped before it', SLOW, async () => {
  const group = await groupOf();
  const pods = await podsOn(group);
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  const carol = await Witness.join(there, 'room', 'carol');
  const early = await Witness.join(there, 'room', 'early');
  alice.say();
  await allHeard([alice, carol, early], saidBy([alice]));
  await early.leave();
  await dropped(group, async () => {
    alice.say();
    await allAcked([alice]);
    await allHeard([carol], saidBy([alice]));
  });
  await ready(...pods);
  const http = await post(here, '/api/rooms/room/messages', { data: { by: 'http', n: 1 } });
  expect(http.status).toBe(200);
  await early.return(there);
  await eventually('early to be told', () => early.losses().includes('history_lost'));
  await allHeard([alice, carol, early], new Map([['http', 1]]));
  for (const one of [alice, carol]) expect(one.losses()).toEqual(['history_lost']);
  expectNoRepeat([alice, carol, early]);
});

/** As many messages of one speaker, all acknowledged. */
async function sayMany(alice: Witness, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) alice.say();
  await allAcked([alice]);
}

test('whoever reads on after a loss, page by page, comes to an end', SLOW, async () => {
  const group = await groupOf();
  const pods = await podsOn(group, { OUTBOX_MESSAGES: '20', MESSAGES_PER_SECOND: '0' });
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  await sayMany(alice, 600);
  await allHeard([bob], saidBy([alice]));
  const old = await group.master();
  const kept = (await get(here, '/api/rooms/room/history?limit=1000')).body['messages'] as { id: string }[];
  expect(kept).toHaveLength(600);
  await dropped(group, () => sayMany(alice, 10));
  await ready(...pods);
  await group.masterOtherThan(old);
  for (const one of [alice, bob]) {
    await eventually('a member to be told', () => one.losses().includes('history_lost'));
  }
  // Over HTTP every page says that messages after its beginning were dropped, and goes on from there.
  let after = kept[99]?.id ?? '';
  const read: string[] = [];
  for (let page = 1; page <= 30; page += 1) {
    // Connections may come and go for a while after a failover.
    let body: Record<string, unknown> = {};
    await eventually('a page', async () => {
      const answer = await get(there, `/api/rooms/room/history?after=${after}&limit=20`);
      ({ body } = answer);
      return answer.status === 200;
    });
    expect(body).toMatchObject({ recovered: false, reason: 'history_lost' });
    read.push(...(body['messages'] as { id: string }[]).map(({ id }) => id));
    after = String(body['position']);
    if (body['more'] === false) break;
  }
  expect(read).toEqual(kept.slice(100).map(({ id }) => id));
  // A client that resumes is told once.
  const late = new Witness('late', 'room');
  await late.connect(there, { last_id: kept[99]?.id });
  await eventually('what is kept', () => late.heard().length >= 500);
  expect(late.losses()).toEqual(['history_lost']);
  alice.say();
  for (const one of [alice, bob, late]) {
    await eventually('what goes on', () => one.heard().some(({ n }) => n === 611));
    expect(one.losses()).toEqual(['history_lost']);
  }
  expectNoRepeat([alice, bob, late]);
});

test(
  'who resumes while nothing can be read is told once of a loss, whatever number of pages follows',
  SLOW,
  async () => {
    const group = await groupOf();
    const pods = await podsOn(group, { OUTBOX_MESSAGES: '20', MESSAGES_PER_SECOND: '0' });
    const [here, there] = pods;
    const alice = await Witness.join(here, 'room', 'alice');
    const late = await Witness.join(there, 'room', 'late');
    await sayMany(alice, 100);
    await allHeard([late], saidBy([alice]));
    await late.leave();
    const first = late.frames.find(({ type }) => type === 'chat')?.['id'];
    const old = await group.master();
    const replicas = await group.replicas();
    for (const replica of replicas) replica.freeze();
    await old.command('CLIENT', 'KILL', 'TYPE', 'replica');
    await sayMany(alice, 1);
    await old.kill();
    const again = new Witness('again', 'room');
    await eventually(
      'a pod without Redis',
      async () => (await get(there, '/api/rooms/room/history')).status === 503,
    );
    await again.connect(there, { last_id: first });
    for (const replica of replicas) replica.thaw();
    await group.masterOtherThan(old);
    await ready(...pods);
    await eventually('what is kept', () => again.heard().length >= 99);
    alice.say();
    await eventually('what goes on', () => again.heard().some(({ n }) => n === 102));
    expect(again.losses()).toEqual(['unavailable', 'history_lost']);
    expectNoRepeat([again]);
  },
);

test('a Redis that goes back to an old snapshot loses nothing in silence', SLOW, async () => {
  const redis = await redisOf('save 3600 1000000');
  const pods = await podsOn(redis);
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  const carol = await Witness.join(there, 'room', 'carol');
  const early = await Witness.join(there, 'room', 'early');
  alice.say();
  await allHeard([alice, carol, early], saidBy([alice]));
  await early.leave();
  await redis.command('SAVE');
  await redis.kill();
  await redis.start();
  await ready(...pods);
  await sayMany(alice, 5);
  await allHeard([carol], saidBy([alice]));
  await redis.kill();
  await redis.start();
  await ready(...pods);
  expect(await redis.command('XLEN', 'realtime:history:room')).toBe(1);
  await early.return(there);
  expect(await early.verdict()).toMatchObject({ recovered: false, reason: 'history_lost' });
  const { body } = await get(here, `/api/rooms/room/history?after=${early.position}`);
  expect(body).toMatchObject({ recovered: false, reason: 'history_lost' });
  for (const one of [alice, carol]) {
    await eventually('a member to be told', () => one.losses().includes('history_lost'));
  }
  alice.say();
  for (const one of [alice, carol, early]) {
    await eventually('what goes on', () => one.heard().some(({ n }) => n === 7));
    expect(one.losses()).toEqual(['history_lost']);
  }
  expectNoRepeat([alice, carol, early]);
});

test('a position that a client has made up changes nothing for others', SLOW, async () => {
  const redis = await redisOf('save 3600 1000000');
  const pods = await podsOn(redis);
  const [here, there] = pods;
  const alice = await Witness.join(here, 'room', 'alice');
  alice.say();
  await allHeard([alice], saidBy([alice]));
  const first = alice.position;
  // A server's run ends, so that there can be positions that it gave and lost.
  await redis.command('SAVE');
  await redis.kill();
  await redis.start();
  await ready(...pods);
  const [epoch, tag, at = ''] = first.split('.');
  const forged = `${epoch}.${tag}.${Number(at.split('-')[0]) + 500}-7`;
  const stranger = new Witness('stranger', 'room');
  expect(await stranger.connect(there, { last_id: forged })).toMatchObject({ data: { recovered: false } });
  const bob = new Witness('bob', 'room');
  expect(await bob.connect(here, { last_id: first })).toMatchObject({
    data: { recovered: true, replayed: 0 },
  });
  alice.say();
  await eventually('what goes on', () => [alice, bob].every((one) => one.heard().some(({ n }) => n === 2)));
  for (const one of [alice, bob]) expect(one.losses()).toEqual([]);
});
