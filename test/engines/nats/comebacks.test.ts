import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openPod, type PresencePod, who } from './presence-pod.ts';
import { type Proxy, startProxy } from '../../support/proxy.ts';
import { NatsSubject } from './subject.ts';
import { PATIENT } from '../../many-pods/world.ts';

/** Longer than the outage of any pod in these tests. */
const LEASE_MS = 4_000;
const A_LEASE_LATER = { timeout: 2 * LEASE_MS };

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

/** A pod whose connection to NATS goes through its own proxy, so that the test can interrupt it. */
interface Lone {
  readonly pod: PresencePod;
  readonly proxy: Proxy;
}

async function openLone(): Promise<Lone> {
  const proxy = await startProxy(nats.server.port);
  onTestFinished(() => proxy.stop());
  return { pod: await openPod(nats, { leaseMs: LEASE_MS, ports: [proxy.port] }), proxy };
}

async function loses({ pod, proxy }: Lone): Promise<void> {
  proxy.silence();
  proxy.breakAll();
  await expect.poll(() => pod.backbone.link.up, PATIENT).toBe(false);
}

/** Resolves once the pod is connected again, and its rows have reached all connected pods. */
async function isBack({ pod, proxy }: Lone): Promise<void> {
  const { backbone, store } = pod;
  proxy.resume();
  proxy.breakAll();
  await expect.poll(() => backbone.link.up, PATIENT).toBe(true);
  await nats.settled(backbone);
  const mark = who(`mark-${backbone.lease.name}`);
  await expect.poll(() => store.enter('marks', mark).then(() => true, String), PATIENT).toBe(true);
  await expect.poll(() => pod.users('marks'), PATIENT).toContain(mark.userId);
}

/** Resolves once a lease that was last renewed during this call has expired: a user of that pod has left. */
async function aLeaseLater({ pod }: Lone): Promise<void> {
  const last = await openLone();
  await last.pod.store.enter('last', who('zoe'));
  await expect.poll(() => pod.users('last'), PATIENT).toEqual(['zoe']);
  await loses(last);
  await expect.poll(() => pod.users('last'), A_LEASE_LATER).toEqual([]);
}

/** The events about a user in the room, in order. */
function toldOf(user: string, { told }: PresencePod): string[] {
  return told.filter((one) => one.startsWith(`${user} `) && one.includes(' r '));
}

async function aliceNeverLeft(lones: readonly Lone[]): Promise<void> {
  for (const { pod } of lones) {
    await expect.poll(() => pod.users(), PATIENT).toEqual(['alice']);
    expect(toldOf('alice', pod)).toEqual(['alice join r 1']);
    expect(pod.caused).toEqual([]);
  }
}

/** For a call on a pod that cannot reach NATS. */
const refused = (): void => {};

describe('A user on a pod that reconnects to NATS later than another pod', () => {
  test('never leaves if the user moved between the two during the outage', async () => {
    const [one, other, third] = [await openLone(), await openLone(), await openLone()];
    await one.pod.store.enter('r', who('alice', 'a1'));
    await expect.poll(() => other.pod.users(), PATIENT).toEqual(['alice']);
    for (const lone of [one, other, third]) await loses(lone);
    await one.pod.store.lose('r', who('alice', 'a1')).catch(refused);
    await other.pod.store.enter('r', who('alice', 'a2'), true).catch(refused);
    await one.pod.store.exit('r', who('alice', 'a1')).catch(refused);
    await isBack(third);
    await isBack(one);
    expect(await third.pod.users()).toEqual(['alice']);
    await isBack(other);
    await aliceNeverLeft([one, other, third]);
    // Once no row can be missing any more, she leaves at once.
    await aLeaseLater(third);
    expect(await other.pod.store.exit('r', who('alice', 'a2'))).toMatchObject({ kind: 'leave', count: 0 });
    for (const { pod } of [one, other, third]) await expect.poll(() => pod.users(), PATIENT).toEqual([]);
  });

  test('never leaves if the user leaves the first pod as soon as that has reconnected', async () => {
    const [one, other, third] = [await openLone(), await openLone(), await openLone()];
    await one.pod.store.enter('r', who('alice', 'a1'));
    for (const lone of [one, other, third]) await loses(lone);
    await other.pod.store.enter('r', who('alice', 'a2')).catch(refused);
    await isBack(third);
    await isBack(one);
    await one.pod.store.exit('r', who('alice', 'a1'));
    expect(await third.pod.users()).toEqual(['alice']);
    await isBack(other);
    await aliceNeverLeft([one, other, third]);
  });

  test('never leaves if the user joins the first pod and leaves it again', async () => {
    const [one, other, third] = [await openLone(), await openLone(), await openLone()];
    for (const lone of [one, other, third]) await loses(lone);
    await other.pod.store.enter('r', who('alice', 'a2')).catch(refused);
    await isBack(third);
    await isBack(one);
    await one.pod.store.enter('r', who('alice', 'a1'));
    expect(await one.pod.store.exit('r', who('alice', 'a1'))).toBeUndefined();
    expect(await third.pod.users()).toEqual(['alice']);
    await isBack(other);
    await aLeaseLater(third);
    for (const { pod } of [one, other, third]) {
      expect(await pod.users()).toEqual(['alice']);
      expect(toldOf('alice', pod)).toEqual(['alice join r 1']);
      expect(pod.caused.filter((told) => told.startsWith('alice '))).toEqual([]);
    }
  });
});

describe('A user who has really left', () => {
  test('during the outage or just after it, leaves for all pods once the lease has expired', async () => {
    const [one, third] = [await openLone(), await openLone()];
    for (const user of ['alice', 'bob', 'carol', 'dora']) await one.pod.store.enter('r', who(user));
    for (const lone of [one, third]) await loses(lone);
    await one.pod.store.exit('r', who('alice')).catch(refused);
    await one.pod.store.enter('r', who('eve')).catch(refused);
    await isBack(third);
    await isBack(one);
    await one.pod.store.exit('r', who('bob'));
    await one.pod.store.exit('r', who('eve'));
    expect(await third.pod.users()).toEqual(['alice', 'bob', 'carol', 'dora', 'eve']);
    for (const { pod } of [one, third]) {
      await expect.poll(() => pod.users(), A_LEASE_LATER).toEqual(['carol', 'dora']);
      // A join during a pod's outage is in the list that the pod reads when it reconnects.
      for (const user of ['alice', 'bob', 'eve'])
        expect(toldOf(user, pod).filter((told) => !told.includes(' join '))).toEqual([
          expect.stringContaining('leave'),
        ]);
    }
    const caused = [one, third].flatMap(({ pod }) => pod.caused.map((told) => told.split(' ', 2).join(' ')));
    expect(caused.filter((told) => told.endsWith(' leave')).toSorted()).toEqual([
      'alice leave',
      'bob leave',
      'eve leave',
    ]);
    expect(await one.pod.store.exit('r', who('dora'))).toMatchObject({ kind: 'leave', count: 1 });
  });

  test('and returns before that, starts without status and meta', async () => {
    const one = await openLone();
    for (const user of ['alice', 'bob']) {
      await one.pod.store.enter('r', who(user));
      await one.pod.store.state('r', who(user), { status: 'away', meta: '{"a":1}' });
    }
    await loses(one);
    await one.pod.store.exit('r', who('alice')).catch(refused);
    await isBack(one);
    await one.pod.store.exit('r', who('bob'));
    await one.pod.store.enter('r', who('eve'));
    await one.pod.store.state('r', who('eve'), { status: 'away' });
    await one.pod.store.exit('r', who('eve'));
    for (const user of ['alice', 'bob', 'eve']) await one.pod.store.enter('r', who(user));
    const { members } = await one.pod.store.list('r', 10);
    expect(members.map(({ userId, status, meta }) => [userId, status, meta])).toEqual([
      ['alice', 'online', '{}'],
      ['bob', 'online', '{}'],
      ['eve', 'online', '{}'],
    ]);
    await aLeaseLater(one);
    expect(await one.pod.users()).toEqual(['alice', 'bob', 'eve']);
    for (const user of ['alice', 'bob', 'eve'])
      expect(await one.pod.store.exit('r', who(user))).toMatchObject({ kind: 'leave' });
  });
});
