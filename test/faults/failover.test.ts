import { expect, test } from 'vitest';
import type { RedisGroup } from '../support/stack/redis-group.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { degraded, eventually, groupOf, podsOn, ready, SLOW } from './world.ts';
import { crowdOn, expectHonesty, throughout } from './crowd.ts';
import { expectEverythingOnce } from './judge.ts';

/** Where the history of the room is now. */
async function historyOn(group: RedisGroup): Promise<{ master: RedisServer; key: string }> {
  return { master: await group.master(), key: 'realtime:history:room' };
}

test(
  'while a Sentinel is away the others tell of a failover, and the log stays one of JSON lines',
  SLOW,
  async () => {
    const group = await groupOf();
    const pods = await podsOn(group);
    await ready(...pods);
    await group.sentinels[0]?.kill();
    const before = await group.master();
    await group.failover();
    expect(await group.master()).not.toBe(before);
    await ready(...pods);
    for (const pod of pods) {
      const lines = pod.output().trim().split('\n');
      expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
    }
  },
);

test('a master killed under load: the next one goes on', SLOW, async () => {
  const group = await groupOf();
  const crowd = await crowdOn(await podsOn(group));
  await throughout(crowd, async () => {
    const old = await group.master();
    await old.kill();
    await group.masterOtherThan(old);
  });
  await expectHonesty(await historyOn(group), crowd);
});

test('a master frozen under load and thawed after the failover', SLOW, async () => {
  const group = await groupOf();
  const crowd = await crowdOn(await podsOn(group));
  await throughout(crowd, async () => {
    const old = await group.master();
    old.freeze();
    await group.masterOtherThan(old);
    await ready(...crowd.pods);
    old.thaw();
    // A server that changes its role closes its connections.
    const role = (): Promise<string | undefined> =>
      old.replication().then(
        (info) => info.get('role'),
        () => undefined,
      );
    await eventually('a demoted master', async () => (await role()) === 'slave');
  });
  await expectHonesty(await historyOn(group), crowd);
});

test('a planned failover under load', SLOW, async () => {
  const group = await groupOf();
  const crowd = await crowdOn(await podsOn(group));
  await throughout(crowd, async () => {
    await group.failover();
  });
  await expectHonesty(await historyOn(group), crowd);
});

test('a failover without traffic loses nothing', SLOW, async () => {
  const group = await groupOf();
  const { pods, speakers, everybody, absent } = await crowdOn(await podsOn(group));
  for (const one of speakers) one.say();
  await expectEverythingOnce([...everybody, absent], speakers);
  await absent.leave();
  const old = await group.master();
  await old.kill();
  await degraded(...pods);
  await group.masterOtherThan(old);
  await ready(...pods);
  expect(await absent.return(pods[0])).toMatchObject({ data: { recovered: true, replayed: 0 } });
  for (const one of speakers) one.say();
  await expectEverythingOnce([...everybody, absent], speakers);
  for (const one of [...everybody, absent]) expect(one.losses()).toEqual([]);
});
