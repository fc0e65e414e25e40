import { expect, test } from 'vitest';
import type { RedisGroup } from '../../loadtest/stack/redis-group.ts';
import { degraded, eventually, groupOf, podsOn, ready, SLOW } from './world.ts';
import { allAcked, droppedFrom, expectEverythingOnce, saidBy, startTalk } from './judge.ts';
import { Witness } from './witness.ts';

interface Crowd {
  readonly speakers: readonly Witness[];
  readonly everybody: readonly Witness[];
  readonly quiet: Witness;
  readonly absent: Witness;
  readonly pods: Awaited<ReturnType<typeof podsOn>>;
}

/** Members on two pods, and one that was there and has gone. */
async function crowdOn(group: RedisGroup): Promise<Crowd> {
  const pods = await podsOn(group);
  const [here, there] = pods;
  const speakers = [
    await Witness.join(here, 'room', 'alice'),
    await Witness.join(here, 'room', 'bob'),
    await Witness.join(there, 'room', 'carol'),
  ];
  const quiet = await Witness.join(there, 'room', 'quiet');
  const absent = await Witness.join(there, 'room', 'absent');
  return { speakers, everybody: [...speakers, quiet], quiet, absent, pods };
}

/** Everybody talks while the fault lasts, and some time before and after. */
async function throughout(crowd: Crowd, fault: () => Promise<void>): Promise<void> {
  const { speakers, quiet, absent, pods } = crowd;
  const talk = startTalk(speakers);
  await eventually('some talk', () => absent.heard().length > 50);
  await absent.leave();
  await fault();
  await ready(...pods);
  const after = quiet.heard().length;
  await eventually('more talk', () => quiet.heard().length > after + 100);
  talk.stop();
}

/**
 * Who was away comes back. Where the failover dropped something everybody has to know, and nothing else may be missing;
 * where it did not nobody may be told so.
 */
async function expectHonesty(group: RedisGroup, { everybody, absent, speakers, pods }: Crowd): Promise<void> {
  const acked = await allAcked(speakers);
  await absent.return(pods[0]);
  const verdict = await absent.verdict();
  const ids = await droppedFrom(await group.master(), everybody, speakers);
  if (ids.length === 0) {
    expect(verdict).toEqual(expect.objectContaining({ recovered: true }));
    for (const one of everybody) expect(one.losses()).toEqual([]);
    await expectEverythingOnce([...everybody, absent], speakers);
    return;
  }
  expect(verdict, `${ids.join()} were dropped`).toMatchObject({ reason: 'history_lost' });
  const dropped = new Set([...acked].filter(([, id]) => ids.includes(id)).map(([ref]) => ref));
  const said = saidBy(speakers);
  for (const one of [...everybody, absent]) {
    await eventually(
      `${one.user} to have what is left`,
      () => one.missing(said).every((name) => dropped.has(name.replace(' ', '-'))),
      () => one.missing(said).join(),
    );
    expect(one.losses()).toContain('history_lost');
  }
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
  const crowd = await crowdOn(group);
  await throughout(crowd, async () => {
    const old = await group.master();
    await old.kill();
    await group.masterOtherThan(old);
  });
  await expectHonesty(group, crowd);
});

test('a master frozen under load and thawed after the failover', SLOW, async () => {
  const group = await groupOf();
  const crowd = await crowdOn(group);
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
  await expectHonesty(group, crowd);
});

test('a planned failover under load', SLOW, async () => {
  const group = await groupOf();
  const crowd = await crowdOn(group);
  await throughout(crowd, async () => {
    await group.failover();
  });
  await expectHonesty(group, crowd);
});

test('a failover without traffic loses nothing', SLOW, async () => {
  const group = await groupOf();
  const { pods, speakers, everybody, absent } = await crowdOn(group);
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
