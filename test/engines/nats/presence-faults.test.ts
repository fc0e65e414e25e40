import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openPod, PresencePod, who } from './presence-pod.ts';
import { type Proxy, startProxy } from '../../support/proxy.ts';
import {
  tombstoneSubject,
  leaseNameOf,
  rowSubject,
  rowText,
} from '../../../src/engines/nats/presence/row.ts';
import { isUnavailable } from '../../../src/core/base/refused.ts';
import { join } from 'node:path';
import { NatsSubject } from './subject.ts';
import { PATIENT } from '../../many-pods/world.ts';
import { rmSync } from 'node:fs';

/** Short, so that dead pods are found soon. */
const LEASE_MS = 1_500;
/** Longer than any outage here. A user who leaves during an outage stays present for so long after it. */
const LONG_LEASE_MS = 6_000;

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

const open = (leaseMs = LEASE_MS): Promise<PresencePod> => openPod(nats, { leaseMs });

async function allSee(all: readonly PresencePod[], users: string[]): Promise<void> {
  for (const pod of all) await expect.poll(() => pod.users(), { timeout: 15_000 }).toEqual(users);
}

/** The changes that all pods caused, without those that calls returned. */
const caused = (...all: readonly PresencePod[]): string[] => all.flatMap((pod) => pod.caused).toSorted();

/** A pod behind a proxy that can break its connection. */
async function behindProxy(leaseMs: number): Promise<{ pod: PresencePod; proxy: Proxy }> {
  const proxy = await startProxy(nats.server.port);
  onTestFinished(() => proxy.stop());
  return { pod: await openPod(nats, { leaseMs, ports: [proxy.port] }), proxy };
}

describe('The users of a pod that is killed', () => {
  test('leave once on each pod, and no row is left', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    const crowd = Array.from({ length: 40 }, (_, n) => who(`user-${n}`, `c-${n}`));
    await Promise.all(crowd.map((one) => c.store.enter('r', one)));
    // This user is on another pod too.
    await a.store.enter('r', who('user-0', 'elsewhere'));
    await c.backbone.stop();
    await allSee([a, b], ['user-0']);
    for (const { told } of [a, b]) {
      expect(told).toHaveLength(40 + 39);
      expect(new Set(told.filter((one) => one.includes('leave')).map((one) => one.split(' ')[0])).size).toBe(
        39,
      );
    }
    expect(caused(a, b)).toHaveLength(39);
    await allSee([await open()], ['user-0']);
  });

  test('leave once also if two survivors reap the pod', async () => {
    const [a, b, c] = [await open(60_000), await open(60_000), await open(60_000)];
    await c.store.enter('r', who('alice'));
    await c.backbone.stop();
    const { name } = c.backbone.lease;
    await Promise.all([a, b].map(({ store }) => store.reap(name)));
    await allSee([a, b], []);
    for (const { told } of [a, b]) expect(told).toEqual(['alice join r 1', 'alice leave r 0']);
    expect(caused(a, b)).toEqual(['alice leave r 0']);
  });

  test('are not present when one of their rows comes late', async () => {
    const [a, b] = [await open(60_000), await open(60_000)];
    const { link, names, lease } = a.backbone;
    const dead = { pod: 'dead', generation: 3 };
    await a.store.reap('dead.3');
    const member = { userId: 'ghost', status: 'online', meta: '{}', updatedAt: 1 } as const;
    const row = { member, statedAt: 0, connections: 1, came: 1, lost: [], version: 1 };
    for (const generation of [2, 3, 4]) {
      const late = { ...dead, generation };
      const named = { ...row, member: { ...member, userId: `ghost-${generation}` } };
      const subject = rowSubject(names, 'r', late, named.member.userId);
      await link.call(({ js }) => js.publish(subject, rowText(named)));
    }
    // Only rows under a later lease count.
    await allSee([a, b, await open(60_000)], ['ghost-4']);
    expect(tombstoneSubject(names, leaseNameOf(lease.name))).toContain(a.backbone.pod);
  });

  test('are not present after all pods were gone for longer than leases are stored', async () => {
    const a = await open();
    const { link, names } = a.backbone;
    const member = { userId: 'ghost', status: 'online', meta: '{}', updatedAt: 1 } as const;
    const row = { member, statedAt: 0, connections: 1, came: 1, lost: [], version: 1 };
    const subject = rowSubject(names, 'r', { pod: 'unknown', generation: 0 }, 'ghost');
    await link.call(({ js }) => js.publish(subject, rowText(row)));
    await allSee([a], ['ghost']);
    await allSee([a, await open()], []);
  });
});

describe('A pod that was cut off', () => {
  test('for less than its lease keeps its users, and learns what it missed', async () => {
    const { pod: a, proxy } = await behindProxy(LONG_LEASE_MS);
    const b = await open(LONG_LEASE_MS);
    await a.store.enter('r', who('alice'));
    await a.store.enter('r', who('carol'));
    const before = a.backbone.lease.name;
    proxy.breakAll();
    proxy.silence();
    await expect.poll(() => a.backbone.link.up, PATIENT).toBe(false);
    const said = await a.store.enter('r', who('anna')).catch((error: unknown) => error);
    expect(isUnavailable(said)).toBe(true);
    await a.store.exit('r', who('carol')).catch(() => undefined);
    await b.store.enter('r', who('bob'));
    proxy.resume();
    proxy.breakAll();
    await allSee([a, b], ['alice', 'anna', 'bob']);
    expect(a.backbone.lease.name).not.toBe(before);
    expect(b.told).toEqual([
      'alice join r 1',
      'carol join r 2',
      'bob join r 3',
      'anna join r 4',
      'carol leave r 3',
    ]);
    expect(caused(a, b)).toEqual(['anna join r 4', 'carol leave r 3']);
    expect(a.uncertain).toBeGreaterThan(1);
  });

  test('for longer than its lease has users who left and joined again', async () => {
    const { pod: a, proxy } = await behindProxy(LEASE_MS);
    const b = await open();
    await a.store.enter('r', who('alice'));
    proxy.silence();
    await allSee([b], []);
    proxy.resume();
    proxy.breakAll();
    await allSee([a, b], ['alice']);
    expect(b.told).toEqual(['alice join r 1', 'alice leave r 0', 'alice join r 1']);
    expect(await a.store.exit('r', who('alice'))).toMatchObject({ kind: 'leave' });
    await allSee([a, b], []);
  });

  test('and whose lost user went to another pod removes the lost connection', async () => {
    const { pod: a, proxy } = await behindProxy(LONG_LEASE_MS);
    const b = await open(LONG_LEASE_MS);
    await a.store.enter('r', who('alice', 'a1'));
    await allSee([b], ['alice']);
    proxy.silence();
    await expect.poll(() => a.backbone.link.up, PATIENT).toBe(false);
    await b.store.enter('r', who('alice', 'a2'), true);
    await a.store.lose('r', who('alice', 'a1')).catch(() => undefined);
    proxy.resume();
    proxy.breakAll();
    await expect.poll(() => a.backbone.link.up, PATIENT).toBe(true);
    await allSee([a, b], ['alice']);
    await expect
      .poll(() => a.store.exit('r', who('alice', 'a1')).then(() => 'done', String), PATIENT)
      .toBe('done');
    // The other pod's earlier rows count for a while.
    expect(await b.store.exit('r', who('alice', 'a2'))).toBeUndefined();
    await allSee([a, b], []);
    expect(b.told).toEqual(['alice join r 1', 'alice leave r 0']);
  });

  test('and was reaped without noticing takes another lease as soon as it notices', async () => {
    const [a, b] = [await open(60_000), await open(60_000)];
    await a.store.enter('r', who('alice'));
    const before = a.backbone.lease.name;
    await b.store.reap(before);
    await expect.poll(() => a.backbone.lease.name, PATIENT).not.toBe(before);
    await allSee([a, b], ['alice']);
  });
});

describe('A server', () => {
  test('that is killed and restarted causes no wrong events', async () => {
    const [a, b] = [await open(LONG_LEASE_MS), await open(LONG_LEASE_MS)];
    await a.store.enter('r', who('alice'));
    await b.store.state('r', who('bob'), { status: 'away' });
    await nats.server.kill();
    await expect.poll(() => [a, b].some(({ backbone }) => backbone.link.up), PATIENT).toBe(false);
    await b.store.exit('r', who('bob')).catch(() => undefined);
    await a.store.enter('r', who('anna')).catch(() => undefined);
    await nats.server.start();
    await allSee([a, b], ['alice', 'anna']);
    for (const { told } of [a, b]) expect(told.filter((one) => one.startsWith('alice'))).toHaveLength(1);
    expect(await a.store.enter('r', who('zoe'))).toMatchObject({ kind: 'join', count: 3 });
  });

  test('that has lost all rows gets all of them again', async () => {
    const [a, b] = [await open(LONG_LEASE_MS), await open(LONG_LEASE_MS)];
    await a.store.enter('r', who('alice'));
    await b.store.state('r', who('bob'), { status: 'away' });
    await nats.server.kill();
    rmSync(join(nats.server.folder, 'store'), { recursive: true });
    await nats.server.start();
    await allSee([a, b], ['alice', 'bob']);
    expect((await a.store.list('r', 10)).members).toContainEqual(
      expect.objectContaining({ userId: 'bob', status: 'away' }),
    );
    await allSee([await open()], ['alice', 'bob']);
  });

  test('that is unavailable only delays presence: everything is written later', async () => {
    await nats.server.kill();
    const a = new PresencePod(nats.backbone());
    onTestFinished(() => a.backbone.stop());
    await a.start();
    for (const one of [who('alice'), who('bob')])
      expect(isUnavailable(await a.store.enter('r', one).catch((error: unknown) => error))).toBe(true);
    await a.store.exit('r', who('bob')).catch(() => undefined);
    await nats.server.start();
    await allSee([a], ['alice']);
  });
});
