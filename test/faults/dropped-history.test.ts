import { expect, test } from 'vitest';
import type { RedisGroup } from '../../loadtest/stack/redis-group.ts';
import { allAcked, allHeard, expectNoRepeat, saidBy } from './judge.ts';
import { eventually, groupOf, podsOn, post, ready, SLOW } from './world.ts';
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
