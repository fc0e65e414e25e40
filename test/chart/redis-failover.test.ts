import { expect, test } from 'vitest';
import { createPods, type RedisPods } from './redis/group.ts';
import type { RedisPod } from './redis/pod.ts';
import { Writer } from './redis/writer.ts';

const LONG = { timeout: 180_000 };
const PATIENT = { timeout: 60_000 };

/** A group in which writes are going on. */
async function busyGroup(): Promise<[RedisPods, RedisPod, Writer]> {
  const group = await createPods();
  const master = await group.start();
  const writer = new Writer(group.pods);
  await expect.poll(() => writer.safe(), PATIENT).toBeGreaterThan(20);
  return [group, master, writer];
}

/** Waits until the new master has taken some writes too, and ends the writing. */
async function end(group: RedisPods, writer: Writer): Promise<RedisPod> {
  const master = await group.settled();
  await expect.poll(() => writer.count(master), PATIENT).toBeGreaterThan(20);
  await writer.stop();
  return master;
}

test('an empty group is begun by pod 0, and the others follow', LONG, async () => {
  const [group, master, writer] = await busyGroup();
  await writer.stop();
  expect(master.ordinal).toBe(0);
  expect(writer.masters()).toEqual(['redis-0']);
  expect(group.pods.map((pod) => pod.marker)).toEqual(['0 0', '0 0', '0 0']);
});

test('a master whose container dies and restarts at once comes back as a replica', LONG, async () => {
  const [group, old, writer] = await busyGroup();
  await old.redis.kill();
  old.redis.launch();
  await group.masterOtherThan(old);
  const master = await end(group, writer);
  expect(await old.role()).toBe('slave');
  expect(writer.masters()).toEqual([old.redis.name, master.redis.name]);
  expect(await writer.lost(master)).toEqual([]);
});

test(
  'a pod that dies as the master comes back as a replica, and its volume learns who is',
  LONG,
  async () => {
    const [group, old, writer] = await busyGroup();
    await old.kill();
    const master = await group.masterOtherThan(old);
    await expect.poll(() => writer.count(master), PATIENT).toBeGreaterThan(20);
    expect(old.marker).toBe('0 0');
    group.launch(old);
    await end(group, writer);
    expect(await old.role()).toBe('slave');
    expect(writer.masters()).toEqual([old.redis.name, master.redis.name]);
    expect(await writer.lost(master)).toEqual([]);
    expect(new Set(group.pods.map((pod) => pod.marker)).size).toBe(1);
    expect(old.marker).toMatch(new RegExp(`^[1-9]\\d* ${master.ordinal}$`));
  },
);

test('two Sentinels are enough to replace the master', LONG, async () => {
  const [group, old, writer] = await busyGroup();
  await group.pods[2]?.sentinel.kill();
  await old.redis.kill();
  const master = await group.masterOtherThan(old);
  group.launch(old);
  await end(group, writer);
  expect(writer.masters()).toEqual([old.redis.name, master.redis.name]);
  expect(await writer.lost(master)).toEqual([]);
});

test('a master that is told to end has handed over before it does, and no write is lost', LONG, async () => {
  const [group, old, writer] = await busyGroup();
  // Both containers are told at the same moment; only that of Redis has something to do first.
  const [code] = await Promise.all([old.redis.run('pre-stop.sh'), old.sentinel.stop()]);
  const others = group.pods.filter((pod) => pod !== old);
  const roles = await Promise.all(others.map((pod) => pod.role()));
  expect([code, roles.filter((role) => role === 'master').length]).toEqual([0, 1]);
  await old.redis.stop();
  const master = await group.masterOtherThan(old);
  group.launch(old);
  await end(group, writer);
  expect(await old.role()).toBe('slave');
  expect(writer.masters()).toEqual([old.redis.name, master.redis.name]);
  expect(await writer.lost(master, 'all')).toEqual([]);
});

test('a replica that is told to end has nothing to hand over', LONG, async () => {
  const [group, master, writer] = await busyGroup();
  expect(await group.pods[1]?.redis.run('pre-stop.sh')).toBe(0);
  await writer.stop();
  expect(writer.masters()).toEqual([master.redis.name]);
  expect(group.pods[1]?.redis.output()).not.toContain('failover');
});
