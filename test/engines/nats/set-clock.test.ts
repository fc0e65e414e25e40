import { expect, test } from 'vitest';
import { type PodLike, podLikeOn } from './pod-like.ts';
import { PresencePod, who } from './presence-pod.ts';
import { natsOf } from './world.ts';
import { NatsBackbone } from '../../../src/engines/nats/connection/backbone.ts';
import { systemClock } from '../../../src/platform.ts';

const PATIENT = { timeout: 20_000 };
/** Longer than a key is remembered and a message is stored. */
const FAR_MS = 700_000;

/** A pod whose clock is set by so much while it is connected. */
async function setBy(ms: number, port: number): Promise<PodLike> {
  let by = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + by };
  const pod = await podLikeOn({ port, clock });
  by = ms;
  return pod;
}

test.for([FAR_MS, -FAR_MS])(
  'A pod whose clock is set by %i ms reads what other pods read, and other pods read its messages',
  async (ms) => {
    const nats = await natsOf();
    const [here, there] = [await podLikeOn(nats), await setBy(ms, nats.port)];
    const { position } = await here.broker.read('r', { newest: 0 }, 10);
    await here.broker.publish('r', 'one');
    await there.broker.publish('r', 'two');
    await expect.poll(async () => (await here.broker.publish('r', 'three')).settled, PATIENT).toBeUndefined();
    for (const { broker } of [here, there, await podLikeOn(nats)]) {
      const page = await broker.read('r', { after: position }, 10);
      expect(page.messages.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
      expect(page.missing).toBeUndefined();
    }
    for (const { broker } of [here, there]) {
      // Longer ago than a pod that knows the server's time by its answers may be wrong.
      const { messages } = await broker.read('r', { since: broker.now('r') - 60_000 }, 10);
      expect(messages).toHaveLength(3);
    }
  },
);

test.for([FAR_MS, -FAR_MS])('A key holds on a pod whose clock is set by %i ms', async (ms) => {
  const nats = await natsOf();
  const [here, there] = [await podLikeOn(nats), await setBy(ms, nats.port)];
  const first = await here.broker.publish('r', 'one', { key: 'k' });
  expect(await there.broker.publish('r', 'again', { key: 'k' })).toEqual({ id: first.id, duplicate: true });
  const second = await there.broker.publish('r', 'two', { key: 'l' });
  for (const { broker } of [here, there])
    expect(await broker.publish('r', 'again', { key: 'l' })).toEqual({ id: second.id, duplicate: true });
  expect(await there.broker.claim('@global', 'g', 'one')).toBe('one');
  expect(await here.broker.claim('@global', 'g', 'two')).toBe('one');
});

test.for([FAR_MS, -FAR_MS])(
  'The latest statement of a user counts, also on a pod whose clock is set by %i ms',
  async (ms) => {
    const nats = await natsOf();
    let by = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + by };
    const pods = [systemClock, clock].map((one, n) => {
      const address = { servers: [`127.0.0.1:${nats.port}`] };
      const log = { debug() {}, info() {}, warn() {}, error: (fields: object) => console.error(fields) };
      const more = { prefix: 'test', replicas: 1, leaseMs: 2_000, startWaitMs: 2_000, presenceTtlMs: 60_000 };
      return new PresencePod(new NatsBackbone({ address, ...more, pod: `pod${n}`, clock: one, log }));
    });
    const [here, there] = pods;
    if (here === undefined || there === undefined) throw new Error('no pods');
    for (const pod of pods) {
      await pod.start();
      await expect.poll(() => pod.backbone.leases.lives(pod.backbone.lease.name), PATIENT).toBe(true);
    }
    by = ms;
    for (const pod of pods) await pod.store.enter('r', who('alice', `alice-${pod.backbone.pod}`));
    for (const [n, pod] of [there, here, there, here].entries()) {
      await pod.store.state('r', who('alice', `alice-${pod.backbone.pod}`), {
        status: 'away',
        meta: `{"n":${n}}`,
      });
      for (const one of pods) {
        await expect
          .poll(async () => (await one.store.list('r', 10)).members.map(({ meta }) => meta), PATIENT)
          .toEqual([`{"n":${n}}`]);
        const [member] = (await one.store.list('r', 10)).members;
        expect(Math.abs((member?.updatedAt ?? 0) * 1_000 - Date.now())).toBeLessThan(60_000);
      }
    }
    for (const { told } of pods) expect(told.filter((one) => one.includes('leave'))).toEqual([]);
    await Promise.all(pods.map(({ backbone }) => backbone.stop()));
  },
);
