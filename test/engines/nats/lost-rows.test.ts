import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openPod, type PresencePod, who } from './presence-pod.ts';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { NatsSubject } from './subject.ts';
import { PATIENT } from '../../many-pods/world.ts';
import { startProxy } from '../../support/proxy.ts';

/** Pods check their rows after a third of it. */
const PRESENCE_TTL_MS = 6_000;

const nats = new NatsSubject();
beforeAll(() => nats.start());
beforeEach(() => nats.empty());
afterEach(() => nats.close());
afterAll(() => nats.stop());

const open = (): Promise<PresencePod> => openPod(nats, { leaseMs: 2_000, presenceTtlMs: PRESENCE_TTL_MS });

async function asOperator(work: (jsm: JetStreamManager) => Promise<unknown>): Promise<void> {
  const connection = await connect({ servers: `127.0.0.1:${nats.server.port}` });
  await work(await jetstreamManager(connection));
  await connection.close();
}

/** What an operator does to one stream. */
const FAULTS: Record<string, (jsm: JetStreamManager, stream: string) => Promise<unknown>> = {
  purged: (jsm, stream) => jsm.streams.purge(stream),
  deleted: (jsm, stream) => jsm.streams.delete(stream),
  'made anew': async (jsm, stream) => {
    const { config } = await jsm.streams.info(stream);
    await jsm.streams.delete(stream);
    await jsm.streams.add(config);
  },
  'deleted in part': async (jsm, stream) => {
    const { state } = await jsm.streams.info(stream, { subjects_filter: '>' });
    for (const subject of Object.keys(state.subjects ?? {}).filter((one) => one.includes('.r.')))
      await jsm.streams.purge(stream, { filter: subject, keep: 0 });
  },
};

test.for(
  ['presence', 'leases'].flatMap((what) =>
    Object.keys(FAULTS)
      .filter((fault) => what === 'presence' || fault !== 'deleted in part')
      .map((fault) => [what, fault] as const),
  ),
)(
  'The %s of connected pods are %s: all pods restore them, and announce no change',
  { timeout: 60_000 },
  async ([what, fault]) => {
    const pods = [await open(), await open(), await open()];
    // So many that the refresh of all rows would take minutes.
    const users = Array.from({ length: 450 }, (_, n) => `user-${n}`).toSorted();
    await Promise.all(
      pods.flatMap(({ store }, pod) =>
        users.filter((_, n) => n % 3 === pod).map((user) => store.enter('r', who(user))),
      ),
    );
    for (const pod of pods) await expect.poll(() => pod.users(), PATIENT).toEqual(users);
    const told = pods.map((pod) => [...pod.told]);
    await asOperator((jsm) => FAULTS[fault]?.(jsm, `${nats.prefix}-${what}`) ?? Promise.resolve());
    const late = await open();
    const lists: (string | number)[] = [];
    const isWhole = async (): Promise<boolean> => {
      for (const pod of pods) {
        const list = await pod.users();
        lists.push(typeof list === 'string' ? list : list.length);
      }
      return (await late.users()).length === users.length;
    };
    await expect.poll(isWhole, PATIENT).toBe(true);
    // A list that cannot be read now is an error; no list lacks a member.
    expect(lists.filter((one) => typeof one === 'number' && one !== users.length)).toEqual([]);
    // Nothing may change for longer than a lease, and a pod that starts then must see all members.
    await expect.poll(() => pods.every(({ backbone }) => backbone.leases.isCurrent), PATIENT).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    for (const pod of [...pods, late, await open()]) expect(await pod.users()).toEqual(users);
    expect(pods.map((pod) => pod.told)).toEqual(told);
    expect(pods.flatMap(({ caused }) => caused)).toEqual([]);
    for (const { backbone } of pods) expect((await backbone.leases.pods()).size).toBe(5);
  },
);

test('A pod that reads all presence while rows of other pods are missing announces no leave', async () => {
  const proxy = await startProxy(nats.server.port);
  onTestFinished(() => proxy.stop());
  // No pod checks its rows within this test.
  const [a, b] = [await openPod(nats, { ports: [proxy.port] }), await openPod(nats)];
  await a.store.enter('r', who('alice'));
  for (const user of ['bob', 'carol', 'dora']) await b.store.enter('r', who(user));
  await expect.poll(() => a.users(), PATIENT).toEqual(['alice', 'bob', 'carol', 'dora']);
  const told = [...a.told];
  await asOperator((jsm) => jsm.streams.purge(`${nats.prefix}-presence`));
  // One user leaves meanwhile.
  proxy.silence();
  await b.store.exit('r', who('dora'));
  const { uncertain } = a;
  proxy.breakAll();
  proxy.resume();
  await expect.poll(() => a.uncertain, PATIENT).toBeGreaterThan(uncertain);
  expect(await a.users()).toEqual(['alice', 'bob', 'carol']);
  expect(a.told).toEqual(told);
});
