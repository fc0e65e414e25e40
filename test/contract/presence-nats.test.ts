import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { NatsBackbone } from '../../src/engines/nats/connection/backbone.ts';
import { NatsPresence } from '../../src/engines/nats/presence.ts';
import { NatsSubject } from '../engines/nats/subject.ts';
import { presenceContract } from './presence.ts';
import { TestClock } from '../support/test-clock.ts';

const nats = new NatsSubject();
let clock = new TestClock();
let now = (): number => clock.now();
beforeAll(() => nats.start());
afterEach(() => nats.close());
afterAll(() => nats.stop());

presenceContract('The NATS presence store', {
  async open() {
    nats.empty();
    clock = new TestClock(Date.now());
    const backbone = nats.backbone({ clock });
    now = () => backbone.link.now();
    const store = new NatsPresence({ backbone, isSubscribed: () => true });
    await backbone.start();
    await nats.settled(backbone);
    await tombstone(backbone);
    await store.list('r', 1);
    return store;
  },
  pass(ms) {
    clock.advance(ms);
    return Promise.resolve();
  },
  now: () => Promise.resolve(now()),
});

/**
 * Resolves once the pod has written the tombstone of the lease that it had before it connected. Until the pod has
 * received it, a user who leaves stays present under that lease.
 */
async function tombstone({ link, names, pod }: NatsBackbone): Promise<void> {
  const query = { last_by_subj: names.subject('presence', 'end', pod) };
  await expect
    .poll(() => link.call(({ jsm }) => jsm.streams.getMessage(names.stream('presence'), query)), {
      timeout: 20_000,
    })
    .not.toBeNull();
}
