import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { leaseText } from '../../../src/engines/nats/connection/lease-row.ts';
import type { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { NatsSubject, type PodOptions } from './subject.ts';
import { PATIENT } from '../../many-pods/world.ts';
import { systemClock } from '../../../src/platform.ts';

const LEASE_MS = 1_000;

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

/** A pod that only holds its lease, and the pods that it has reaped. */
async function open(options: PodOptions = {}): Promise<{ backbone: NatsBackbone; reaped: string[] }> {
  const backbone = nats.backbone({ leaseMs: LEASE_MS, ...options });
  const reaped: string[] = [];
  backbone.lease.add({
    rewriteAll: () => Promise.resolve(),
    reap: (pod) => Promise.resolve(void reaped.push(pod)),
  });
  await backbone.start();
  await nats.settled(backbone);
  return { backbone, reaped };
}

test('A silent pod is reaped once, by one other pod, and its lease is removed', async () => {
  const [a, b, c, d] = [await open(), await open(), await open(), await open()];
  const { name } = d.backbone.lease;
  await expect.poll(() => a.backbone.leases.knows(name), PATIENT).toBe(true);
  await d.backbone.stop();
  const reapedBy = (): string[] => [a, b, c].flatMap(({ reaped }) => reaped);
  await expect.poll(reapedBy, PATIENT).toEqual([name]);
  for (const { backbone } of [a, b, c])
    await expect.poll(() => backbone.leases.knows(name), PATIENT).toBe(false);
  expect(await a.backbone.leases.lives(name)).toBe(false);
  expect(await a.backbone.leases.lives(b.backbone.lease.name)).toBe(true);
  expect(reapedBy()).toEqual([name]);
});

test('A stopped pod is reaped when its lease expires, and not before', async () => {
  const [a, b] = [await open({ leaseMs: 60_000 }), await open()];
  const { name } = a.backbone.lease;
  await a.backbone.lease.stop(0);
  await a.backbone.stop();
  await expect.poll(() => b.reaped, PATIENT).toEqual([name]);
});

test('A pod that was taken for dead cannot renew its lease, and takes another', async () => {
  const [a, b] = [await open({ leaseMs: 60_000 }), await open()];
  const { name } = a.backbone.lease;
  await expect.poll(() => b.backbone.leases.knows(name), PATIENT).toBe(true);
  await b.backbone.leases.reaped(name);
  expect(await a.backbone.leases.renew(name, false)).toEqual({ alive: false, dead: [] });
  expect(await a.backbone.leases.renew(name, true)).toEqual({ alive: false, dead: [] });
  a.backbone.lease.lapsed(name);
  await expect.poll(() => a.backbone.leases.lives(a.backbone.lease.name), PATIENT).toBe(true);
  expect(a.backbone.lease.name).not.toBe(name);
});

test('A pod that was disconnected reaps no pod before it could see which are alive', async () => {
  const [a, b] = [await open({ leaseMs: 10_000 }), await open({ leaseMs: 10_000 })];
  await nats.server.kill();
  await expect.poll(() => [a, b].some(({ backbone }) => backbone.link.up), PATIENT).toBe(false);
  await nats.server.start();
  for (const { backbone } of [a, b])
    await expect
      .poll(() => backbone.leases.lives(backbone.lease.name).catch(() => false), PATIENT)
      .toBe(true);
  expect([...a.reaped, ...b.reaped]).toEqual([]);
});

test('The time that leases are stored can be shortened and extended', async () => {
  for (const presenceTtlMs of [1_200_000, 2_000, 1_200_000]) {
    const { backbone } = await open({ presenceTtlMs });
    expect(await backbone.leases.lives(backbone.lease.name)).toBe(true);
  }
});

test('A lease whose message has expired is forgotten', async () => {
  let ahead = 0;
  const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + ahead };
  const [a, b] = [await open({ clock }), await open({ leaseMs: 60_000 })];
  const { leases, link, names } = a.backbone;
  const { name } = b.backbone.lease;
  await expect.poll(() => leases.knows(name), PATIENT).toBe(true);
  await b.backbone.stop();
  const filter = names.subject('leases', name);
  await link.call(({ jsm }) => jsm.streams.purge(names.stream('leases'), { filter }));
  ahead = 660_000;
  await expect.poll(() => leases.knows(name), PATIENT).toBe(false);
  expect(a.reaped).toEqual([]);
});

test('A pod that stops while it renews its lease has stopped for the other pods too', async () => {
  const [a, b] = [await open({ leaseMs: 60_000 }), await open()];
  const { lease, leases } = a.backbone;
  const renewed = leases.renew(lease.name, false);
  await leases.end(lease.name, 60_000);
  expect(await renewed).toEqual({ alive: true, dead: [] });
  await expect.poll(() => b.backbone.leases.isEnding(lease.name), PATIENT).toBe(true);
});

test('What another program put among the leases is no pod, and is not reaped', async () => {
  const { backbone, reaped } = await open();
  const { leases, link, names } = backbone;
  const strange = ['x', 'x.y', 'x.y.1'];
  for (const name of [...strange, 'dead.1'])
    await link.call(({ js }) => js.publish(names.subject('leases', name), leaseText({ leaseMs: 1 })));
  await expect.poll(() => reaped, PATIENT).toEqual(['dead.1']);
  expect(strange.filter((name) => leases.knows(name))).toEqual([]);
  expect(link.losses).toBe(0);
});
