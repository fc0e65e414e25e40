import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '@nats-io/transport-node';
import { Holding, NO_ANSWER } from '../../contract/directory.ts';
import { isUnavailable } from '../../../src/core/base/refused.ts';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { NatsDirectory } from '../../../src/engines/nats/directory.ts';
import { NatsSubject, type PodOptions } from './subject.ts';
import { at, PATIENT } from '../../many-pods/world.ts';
import { startProxy } from '../../support/proxy.ts';

/** Short, so that pods soon see the loads of others, and find dead pods. */
const LEASE_MS = 1_500;
const SINCE = Date.now() - 3_600_000;

interface Pod {
  readonly backbone: NatsBackbone;
  readonly directory: NatsDirectory;
  readonly holding: Holding;
}

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

async function open(options: PodOptions = {}): Promise<Pod> {
  const backbone = nats.backbone({ leaseMs: LEASE_MS, ...options });
  const directory = new NatsDirectory(backbone);
  const holding = new Holding();
  await backbone.start();
  await nats.settled(backbone);
  await directory.start(holding, NO_ANSWER);
  return { backbone, directory, holding };
}

/** The loads of the other pods, for a pod with so many connections. */
async function says({ directory }: Pod, connections: number): Promise<number[]> {
  const others = await directory.loads({ connections, since: SINCE });
  return others.map((other) => other.connections).toSorted((a, b) => a - b);
}

describe('The loads of the pods', () => {
  test('are those of all other pods that take connections, without the pod’s own', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    for (const [index, pod] of [a, b, c].entries()) await says(pod, 10 + index);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([10, 12]);
    await says(a, 20);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([12, 20]);
    expect(await b.directory.loads({ connections: 11, since: SINCE })).toContainEqual({
      connections: 20,
      // Converted to the server's clock and back.
      since: expect.closeTo(SINCE, -2),
    });
    await a.directory.loads(undefined);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([12]);
    expect(await a.directory.loads(undefined)).toHaveLength(2);
  });

  test('contain a silent pod no longer than its lease, and a stopped pod not at all', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    await says(a, 10);
    await says(c, 12);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([10, 12]);
    await c.backbone.lease.stop(60_000);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([10]);
    await a.backbone.stop();
    await expect.poll(() => says(b, 11), PATIENT).toEqual([]);
  });

  test('are unavailable on a pod without NATS, which counts once after it reconnects', async () => {
    const proxy = await startProxy(nats.server.port);
    onTestFinished(() => proxy.stop());
    const [a, b] = [await open({ leaseMs: 60_000, ports: [proxy.port] }), await open()];
    const before = a.backbone.lease.name;
    await says(a, 10);
    proxy.silence();
    proxy.breakAll();
    await expect.poll(() => a.backbone.link.up, PATIENT).toBe(false);
    for (const asked of [a.directory.loads({ connections: 1, since: SINCE }), a.directory.rooms('', '', 1)])
      expect(isUnavailable(await asked.catch((error: unknown) => error))).toBe(true);
    proxy.resume();
    proxy.breakAll();
    await expect.poll(() => says(a, 12).catch(() => 'away'), PATIENT).toEqual([]);
    await expect.poll(() => a.backbone.lease.name, PATIENT).not.toBe(before);
    await expect.poll(() => says(b, 11), PATIENT).toEqual([12]);
  });
});

describe('Rooms of several pods', () => {
  test('are added up, page by page, and those of a pod that stops are removed', async () => {
    const [a, b] = [await open(), await open()];
    a.holding.put('r', 2);
    b.holding.put('r', 3);
    a.holding.put('s', 1);
    b.holding.put('a', 1);
    expect(await b.directory.rooms('', '', 10)).toEqual([
      { room: 'a', connections: 1 },
      { room: 'r', connections: 5 },
      { room: 's', connections: 1 },
    ]);
    expect(await a.directory.rooms('', 'a', 1)).toEqual([{ room: 'r', connections: 5 }]);
    expect(await a.directory.rooms('s', '', 10)).toEqual([{ room: 's', connections: 1 }]);
    await a.directory.stop();
    expect(await b.directory.rooms('', 'a', 10)).toEqual([{ room: 'r', connections: 3 }]);
    await a.backbone.lease.stop(60_000);
    await a.backbone.stop();
    await expect
      .poll(() => b.directory.rooms('', 'a', 10).catch(() => 'away'), PATIENT)
      .toEqual([{ room: 'r', connections: 3 }]);
  });

  test('that do not fit into one answer are asked for in parts, and added up', async () => {
    const [a, b] = [await open(), await open()];
    const name = (n: number): string => `r${String(n).padStart(5, '0')}`;
    for (let n = 0; n < 6_000; n += 1) a.holding.put(name(n), 1);
    b.holding.put(name(5_500), 1);
    const all = await b.directory.rooms('', '', 10_000);
    expect(all.map(({ room }) => room)).toEqual(Array.from({ length: 6_000 }, (_, n) => name(n)));
    expect(all).toContainEqual({ room: name(5_500), connections: 2 });
    expect(await b.directory.rooms('', '', 5_100)).toEqual(all.slice(0, 5_100));
  });

  test('cannot be listed while one pod does not answer, and can be listed once it is dead', async () => {
    const [a, b] = [await open(), await open()];
    b.holding.put('r', 1);
    a.holding.put('r', 1);
    await a.backbone.stop();
    expect(isUnavailable(await b.directory.rooms('', '', 10).catch((error: unknown) => error))).toBe(true);
    await expect
      .poll(() => b.directory.rooms('', '', 10).catch(() => 'away'), PATIENT)
      .toEqual([{ room: 'r', connections: 1 }]);
  });
});

describe('A user’s places', () => {
  test('are the same on all pods, also if many connections come at once', async () => {
    const pods = [await open(), await open(), await open()];
    const came = Array.from({ length: 18 }, (_, n) => at(pods, n % 3).directory.admit('alice', `a${n}`, 2));
    const admitted = (await Promise.all(came)).flatMap((is, n) => (is ? [n] : []));
    expect(admitted).toHaveLength(2);
    for (const { directory } of pods) expect(await directory.admit('alice', 'more', 2)).toBe(false);
    const n = admitted[0] ?? 0;
    await at(pods, n % 3).directory.release('alice', `a${n}`);
    expect(await at(pods, (n + 1) % 3).directory.admit('alice', 'b', 2)).toBe(true);
    for (const { directory } of pods) expect(await directory.admit('alice', 'more', 2)).toBe(false);
  });

  test('are given back after another pod wrote last, and NATS does not count as unavailable', async () => {
    const [a, b] = [await open(), await open()];
    for (const [pod, connection] of [[a, 'a1'] as const, [b, 'b1'] as const])
      expect(await pod.directory.admit('alice', connection, 2)).toBe(true);
    await a.directory.release('alice', 'a1');
    expect(await b.directory.admit('alice', 'b2', 2)).toBe(true);
    expect([a, b].map(({ backbone }) => backbone.link.losses)).toEqual([0, 0]);
  });

  test('are free again on a dead pod, and on a stopped pod once its lease has expired', async () => {
    const [a, b, c] = [await open(), await open(), await open()];
    await a.directory.admit('alice', 'a1', 1);
    await c.directory.admit('bob', 'b1', 1);
    expect(await b.directory.admit('alice', 'a2', 1)).toBe(false);
    await c.backbone.lease.stop(100);
    for (const pod of [a, c]) await pod.backbone.stop();
    expect(await b.directory.admit('alice', 'a2', 1)).toBe(false);
    await expect.poll(() => b.directory.admit('alice', 'a2', 1), PATIENT).toBe(true);
    await expect.poll(() => b.directory.admit('bob', 'b2', 1), PATIENT).toBe(true);
  });

  test('are counted whatever the user’s name is', async () => {
    const [a, b] = [await open(), await open()];
    for (const user of ['a.b', '*', '>', 'ü "q" \\', '🎉'.repeat(256)]) {
      expect(await a.directory.admit(user, 'c1', 1)).toBe(true);
      expect(await b.directory.admit(user, 'c2', 1)).toBe(false);
      await a.directory.release(user, 'c1');
      expect(await b.directory.admit(user, 'c2', 1)).toBe(true);
    }
  });

  test('move to the new lease of a pod that was taken for dead', async () => {
    const [a, b] = [await open({ leaseMs: 60_000 }), await open({ leaseMs: 60_000 })];
    a.holding.people = [{ userId: 'alice', connectionId: 'a1' }];
    await a.directory.admit('alice', 'a1', 1);
    const before = a.backbone.lease.name;
    a.backbone.lease.lapsed(before);
    await expect.poll(() => a.backbone.lease.name, PATIENT).not.toBe(before);
    await b.backbone.leases.reaped(before);
    await expect.poll(() => b.backbone.leases.knows(before), PATIENT).toBe(false);
    expect(await b.directory.admit('alice', 'a2', 1)).toBe(false);
    await a.directory.release('alice', 'a1');
    expect(await b.directory.admit('alice', 'a2', 1)).toBe(true);
  });

  test('are limited by this pod’s own connections while NATS is unavailable', async () => {
    const a = await open();
    await a.backbone.stop();
    expect(await a.directory.admit('alice', 'a1', 1)).toBe(true);
    a.holding.people = [{ userId: 'alice', connectionId: 'a1' }];
    expect(await a.directory.admit('alice', 'a2', 1)).toBe(false);
    await a.directory.release('alice', 'a1');
  });
});

test.for(['purge', 'delete'] as const)(
  'Places count again soon after an operator did %s them',
  async (fault) => {
    const [a, b] = [await open({ presenceTtlMs: 6_000 }), await open({ presenceTtlMs: 6_000 })];
    a.holding.people = ['a1', 'a2'].map((connectionId) => ({ userId: 'alice', connectionId }));
    b.holding.people = [{ userId: 'alice', connectionId: 'b1' }];
    for (const connection of ['a1', 'a2']) expect(await a.directory.admit('alice', connection, 3)).toBe(true);
    expect(await b.directory.admit('alice', 'b1', 3)).toBe(true);
    const connection = await connect({ servers: `127.0.0.1:${nats.server.port}` });
    const jsm = await jetstreamManager(connection);
    await jsm.streams[fault](`${nats.prefix}-places`);
    await connection.close();
    const c = await open();
    const isFull = async (): Promise<boolean> => {
      const isIn = await c.directory.admit('alice', 'c1', 3);
      if (isIn) await c.directory.release('alice', 'c1');
      return !isIn;
    };
    await expect.poll(isFull, PATIENT).toBe(true);
    for (const { directory } of [a, b]) expect(await directory.admit('alice', 'more', 3)).toBe(false);
  },
);
