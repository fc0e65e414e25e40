import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPods, type RedisPods } from './redis/group.ts';
import type { RedisPod } from './redis/pod.ts';
import { Writer } from './redis/writer.ts';

const LONG = { timeout: 180_000 };
const PATIENT = { timeout: 60_000 };
/**
 * More than a pod that is told it is the master waits before it believes that. A pod that waits says so only every 30 s,
 * so that there is nothing shorter to wait for.
 */
const TOO_LONG_MS = 7000;

/** Three pods that have data; the writer knows which. */
async function groupWithData(sentinel: object = {}): Promise<[RedisPods, RedisPod, Writer]> {
  const group = await createPods({ sentinel });
  const master = await group.start();
  const writer = new Writer(group.pods);
  await expect.poll(() => writer.safe(), PATIENT).toBeGreaterThan(20);
  return [group, master, await writer.stop()];
}

/** Another pod is the master, and has written more. */
async function failOver(group: RedisPods, old: RedisPod): Promise<[RedisPod, Writer]> {
  await old.kill();
  const master = await group.masterOtherThan(old);
  const writer = new Writer(group.pods);
  await expect.poll(() => writer.safe(), PATIENT).toBeGreaterThan(20);
  return [master, await writer.stop()];
}

test('all pods at once die and come back with the same master and all data', LONG, async () => {
  const [group, before, writer] = await groupWithData();
  await group.killAll();
  const master = await group.start();
  expect(master.redis.name).toBe(before.redis.name);
  expect(await writer.lost(master)).toEqual([]);
});

test('a pod that slept through a failover does not bring its old data back', LONG, async () => {
  const [group, old, first] = await groupWithData();
  const [newer, second] = await failOver(group, old);
  await group.killAll();
  expect(old.marker).toBe('0 0');
  group.launch(old);
  await sleep(TOO_LONG_MS);
  expect(await old.role()).toBeUndefined();
  const master = await group.start();
  expect(master.redis.name).toBe(newer.redis.name);
  expect(await first.lost(master)).toEqual([]);
  expect(await second.lost(master)).toEqual([]);
});

test(
  'a master that comes back without its volume leaves it to a replica that has the data',
  LONG,
  async () => {
    const [group, old, writer] = await groupWithData({ masterPatienceSeconds: 4 });
    await group.killAll();
    old.loseVolume();
    const master = await group.start();
    expect(master.redis.name).not.toBe(old.redis.name);
    expect(await writer.lost(master)).toEqual([]);
  },
);

test('when all were down and the master stays away, another one with its data takes over', LONG, async () => {
  const [group, old, writer] = await groupWithData({ masterPatienceSeconds: 4 });
  await group.killAll();
  for (const pod of group.pods) if (pod !== old) group.launch(pod);
  const master = await group.settled();
  expect(master.redis.name).not.toBe(old.redis.name);
  expect(await writer.lost(master)).toEqual([]);
  group.launch(old);
  await group.settled();
  expect(await old.role()).toBe('slave');
});

test('pod 0 does not begin a group while it hears of nobody', LONG, async () => {
  const group = await createPods();
  const [first] = group.pods;
  first?.redis.launch();
  await expect.poll(() => first?.redis.output(), PATIENT).toContain('1 of 3 pods answer, the master is none');
  await sleep(TOO_LONG_MS);
  expect(await first?.role()).toBeUndefined();
});

test('no other pod than pod 0 begins a group', LONG, async () => {
  const group = await createPods();
  const [, ...others] = group.pods;
  for (const pod of others) group.launch(pod);
  await expect
    .poll(() => others[0]?.redis.output(), PATIENT)
    .toContain('2 of 3 pods answer, the master is none');
  await sleep(TOO_LONG_MS);
  expect(await Promise.all(others.map((pod) => pod.role()))).toEqual([undefined, undefined]);
  expect((await group.start()).redis.name).toBe('redis-0');
});

test('when the third pod stays away, two begin a group that takes writes', LONG, async () => {
  const group = await createPods();
  const [first, second] = group.pods;
  for (const pod of [first, second]) if (pod !== undefined) group.launch(pod);
  const master = await group.settled();
  expect(master).toBe(first);
  const writer = new Writer(group.pods);
  await expect.poll(() => writer.safe(), PATIENT).toBeGreaterThan(0);
});
